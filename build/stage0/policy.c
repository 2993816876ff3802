#include "stage0.h"

/* What the command line says, before it is weighed. */
struct wishes {
  int shell;
  long panic;
  const char *emergency;
};

static int is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* lib/cmdline.c, next_arg(): cuts the next word off, without its quotes. Returns what follows. */
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

static int is_no(const char *value)
{
  return value && (is_same(value, "0") || is_same(value, "no") || is_same(value, "off") || is_same(value, "false"));
}

static void note_word(struct wishes *wishes, const char *name, const char *value)
{
  if (is_parameter(name, "rdshell") || is_parameter(name, "rd.shell")) wishes->shell = !is_no(value);
  if (is_parameter(name, "rd.emergency") && value) wishes->emergency = value;
  if (is_parameter(name, "panic") && value) parse_number(value, 1, &wishes->panic);
}

static enum action emergency_action(const char *name)
{
  if (is_same(name, "reboot")) return ACTION_REBOOT;
  if (is_same(name, "poweroff")) return ACTION_POWEROFF;
  if (is_same(name, "halt")) return ACTION_HALT;
  return ACTION_SHELL;
}

struct policy read_policy(char *const texts[])
{
  struct wishes wishes = {1, 0, ""};
  for (; *texts; texts++) {
    char *name, *value, *at = *texts;
    while (*at) {
      while (is_space(*at)) at++;
      if (!*at) break;
      at = next_word(at, &name, &value);
      if (is_same(name, "--") && !value) break;
      note_word(&wishes, name, value);
    }
  }
  long seconds = wishes.panic > 0 ? wishes.panic : 0;
  enum action action = emergency_action(wishes.emergency);
  if (action != ACTION_SHELL) return (struct policy){action, seconds};
  int is_shell_wanted = is_same(wishes.emergency, "shell") || wishes.panic == 0;
  if (wishes.shell && is_shell_wanted) return (struct policy){ACTION_SHELL, 0};
  return (struct policy){wishes.panic ? ACTION_REBOOT : ACTION_WAIT, seconds};
}

/* /etc/levain.cmdline holds the image's own parameters, which are weaker than the boot loader's. */
struct policy read_machine_policy(void)
{
  char image[COMMAND_LINE_MAX], boot_loader[COMMAND_LINE_MAX];
  char *texts[] = {image, boot_loader, 0};
  if (read_text_file("/etc/levain.cmdline", image, sizeof image) < 0) image[0] = 0;
  if (read_text_file("/proc/cmdline", boot_loader, sizeof boot_loader) < 0) boot_loader[0] = 0;
  return read_policy(texts);
}
