#include "stage0.h"

/* Decides the same as src/parameters/cmdline.ts and src/plan/rescue-policy.ts; a test compares the two. */

/* The program has the same limit. */
#define PANIC_MAX 2147483
#define AFTER_DIGITS 6

/* The parameters, before they are combined. */
struct wishes {
  enum shell shell;
  /* Seconds, 0 for none, below 0 for at once. */
  long panic;
  /* Seconds, below 0 for none. */
  long after;
  int has_action;
  enum action action;
};

/* lib/ctype.c: the no-break space of Latin-1 counts. */
static int is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r') || (u8)c == 0xa0;
}

/* Cuts off the next parameter, without its quotes (next_arg() of lib/cmdline.c). Returns the rest. */
static char *next_word(char *at, char **name, char **value)
{
  int in_quote = *at == '"', quoted = in_quote;
  u64 i, equals = 0;
  if (quoted) at++;
  for (i = 0; at[i] && (in_quote || !is_space(at[i])); i++) {
    if (at[i] == '=' && !equals) equals = i;
    if (at[i] == '"') in_quote = !in_quote;
  }
  char *end = at + i, *after = *end ? end + 1 : end;
  if (end > at && end[-1] == '"' && (quoted || (equals && at[equals + 1] == '"'))) end--;
  *end = 0;
  *name = at;
  *value = 0;
  if (equals) {
    at[equals] = 0;
    *value = at + equals + 1;
    if (**value == '"') (*value)++;
  }
  return after;
}

static int is_parameter(const char *name, const char *wanted)
{
  for (; *name && *wanted; name++, wanted++)
    if (*name != *wanted && !(*name == '-' && *wanted == '_')) return 0;
  return *name == *wanted;
}

static int is_word(const char *text, const char *lower_case)
{
  for (; *text && *lower_case; text++, lower_case++)
    if ((*text >= 'A' && *text <= 'Z' ? *text + ('a' - 'A') : *text) != *lower_case) return 0;
  return *text == *lower_case;
}

static int is_one_of(const char *text, const char *const *words)
{
  while (*words && !is_word(text, *words)) words++;
  return *words != 0;
}

/* A shell is the default, and one "no" is enough, as is one "ask" without a "no": a "yes", and `single`, change nothing. */
static void note_shell(struct wishes *wishes, const char *value)
{
  static const char *const NO[] = {"0", "n", "no", "off", "false", 0};
  if (value && is_one_of(value, NO)) wishes->shell = SHELL_NEVER;
  else if (value && is_same(value, "ask") && wishes->shell == SHELL_YES) wishes->shell = SHELL_ASK;
}

static void note_action(struct wishes *wishes, const char *value)
{
  static const struct { const char *name; enum action action; } ACTIONS[] = {
    {"shell", ACTION_SHELL}, {"menu", ACTION_SHELL}, {"reboot", ACTION_REBOOT}, {"poweroff", ACTION_POWEROFF}, {"halt", ACTION_HALT}};
  for (u64 i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++) {
    if (!is_same(value, ACTIONS[i].name)) continue;
    wishes->has_action = 1;
    wishes->action = ACTIONS[i].action;
  }
}

static void note_word(struct wishes *wishes, const char *name, const char *value)
{
  long seconds;
  if (is_parameter(name, "rdshell") || is_parameter(name, "rd.shell") || is_parameter(name, "rescueshell"))
    note_shell(wishes, value);
  if (is_parameter(name, "rd.emergency")) note_action(wishes, value ? value : "shell");
  if (is_parameter(name, "panic") && value && parse_number(value, 1, &seconds) && seconds <= PANIC_MAX)
    wishes->panic = seconds;
  if (is_parameter(name, "rd.emergency.after") && value && length_of(value) <= AFTER_DIGITS && parse_number(value, 0, &seconds))
    wishes->after = seconds;
}

static void read_words(struct wishes *wishes, char *at)
{
  char *name, *value;
  u64 length = length_of(at);
  /* /proc/cmdline ends with a newline, which would become part of an open quote. */
  if (length && at[length - 1] == '\n') at[length - 1] = 0;
  for (;;) {
    while (is_space(*at)) at++;
    if (!*at) return;
    at = next_word(at, &name, &value);
    if (is_same(name, "--") && !value) return;
    note_word(wishes, name, value);
  }
}

struct policy read_policy(char *const texts[])
{
  struct wishes wishes = {SHELL_YES, 0, -1, 0, ACTION_SHELL};
  for (; *texts; texts++) read_words(&wishes, *texts);

  long seconds = wishes.after < 0 ? wishes.panic : wishes.after;
  if (!wishes.has_action && (wishes.panic || wishes.after >= 0)) wishes.action = ACTION_REBOOT;
  if (wishes.action == ACTION_SHELL && wishes.shell != SHELL_YES) wishes.action = wishes.panic ? ACTION_REBOOT : ACTION_HALT;
  return (struct policy){
    .shell = wishes.shell, .action = wishes.action,
    .seconds = seconds > 0 && wishes.action != ACTION_SHELL ? seconds : 0, .is_in_initramfs = 1};
}

/* /etc/levain.cmdline has the image's own policy parameters (src/desk/image/image.ts): weaker than the boot loader's, except rdshell=0. */
struct policy read_machine_policy(void)
{
  char image[COMMAND_LINE_MAX], boot_loader[COMMAND_LINE_MAX];
  char *texts[] = {image, boot_loader, 0};
  if (read_text_file("/etc/levain.cmdline", image, sizeof image) < 0) image[0] = 0;
  if (read_text_file("/proc/cmdline", boot_loader, sizeof boot_loader) < 0) boot_loader[0] = 0;
  return read_policy(texts);
}
