#include "stage0.h"

/* Any address may hold one. */
typedef u64 __attribute__((may_alias, aligned(1))) word;

/* gcc may call these even in freestanding code. */
void *memcpy(void *to, const void *from, u64 size);
void *memset(void *to, int value, u64 size);

void *memcpy(void *to, const void *from, u64 size)
{
  u8 *t = to;
  const u8 *f = from;
  for (; size >= sizeof(word); size -= sizeof(word), t += sizeof(word), f += sizeof(word)) *(word *)t = *(const word *)f;
  for (u64 i = 0; i < size; i++) t[i] = f[i];
  return to;
}

void *memset(void *to, int value, u64 size)
{
  u8 *t = to;
  u64 pattern = (u8)value * 0x0101010101010101ul;
  for (; size >= sizeof(word); size -= sizeof(word), t += sizeof(word)) *(word *)t = pattern;
  for (u64 i = 0; i < size; i++) t[i] = (u8)value;
  return to;
}

u64 length_of(const char *text)
{
  u64 length = 0;
  while (text[length]) length++;
  return length;
}

int is_same(const char *a, const char *b)
{
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

int begins_with(const char *text, const char *start)
{
  while (*start && *text == *start) text++, start++;
  return !*start;
}

void copy_text(char *to, const char *from)
{
  while ((*to++ = *from++)) {
  }
}

char *decimal(long number, char *to)
{
  char reversed[24];
  u64 rest = number < 0 ? -(u64)number : (u64)number;
  int count = 0, at = 0;
  do reversed[count++] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (number < 0) to[at++] = '-';
  while (count) to[at++] = reversed[--count];
  to[at] = 0;
  return to;
}

int parse_number(const char *text, int is_signed, long *number)
{
  int negative = is_signed && *text == '-';
  if (is_signed && (*text == '-' || *text == '+')) text++;
  u64 length = length_of(text);
  if (length < 1 || length > 10) return 0;
  long value = 0;
  for (; *text; text++) {
    if (*text < '0' || *text > '9') return 0;
    value = value * 10 + (*text - '0');
  }
  *number = negative ? -value : value;
  return 1;
}

struct name {
  int number;
  const char *words;
};

static const char *find_name(const struct name *names, u64 count, int number)
{
  for (u64 i = 0; i < count; i++)
    if (names[i].number == number) return names[i].words;
  return 0;
}

/* include/uapi/asm-generic/errno-base.h, errno.h: the errors of mount, chroot, pivot_root and execve. */
static const struct name ERRORS[] = {
  {1, "not permitted"},
  {2, "not found, or its dynamic loader is missing"},
  {5, "read error"},
  {7, "its arguments are too long"},
  {8, "not a program that this kernel can run"},
  {12, "not enough memory"},
  {13, "permission denied: not executable, or on a noexec mount"},
  {14, "bad address"},
  {16, "busy"},
  {17, "already exists"},
  {19, "the kernel does not know this filesystem"},
  {20, "a part of its path is not a directory"},
  {21, "is a directory"},
  {22, "invalid argument"},
  {26, "open for writing"},
  {30, "read-only"},
  {38, "not supported by this kernel"},
  {40, "too many symbolic links, or a mount would contain itself"},
};

const char *describe_error(long error)
{
  const char *words = find_name(ERRORS, sizeof ERRORS / sizeof *ERRORS, (int)(error < 0 ? -error : error));
  return words ? words : "refused by the kernel";
}

/* include/uapi/asm-generic/signal.h */
static const struct name SIGNALS[] = {
  {1, "SIGHUP"},   {2, "SIGINT"},   {3, "SIGQUIT"},  {4, "SIGILL"},   {5, "SIGTRAP"},  {6, "SIGABRT"},  {7, "SIGBUS"},
  {8, "SIGFPE"},   {9, "SIGKILL"},  {10, "SIGUSR1"}, {11, "SIGSEGV"}, {12, "SIGUSR2"}, {13, "SIGPIPE"}, {14, "SIGALRM"},
  {15, "SIGTERM"}, {24, "SIGXCPU"}, {25, "SIGXFSZ"}, {31, "SIGSYS"},
};

const char *describe_signal(int signal)
{
  const char *words = find_name(SIGNALS, sizeof SIGNALS / sizeof *SIGNALS, signal);
  return words ? words : "a signal";
}

char *take_word(char *text)
{
  char *to = text;
  for (; *text && *text != ' ' && *text != '\n'; text++) {
    int is_escaped = text[0] == '\\' && text[1] && text[2] && text[3];
    *to++ = is_escaped ? (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0')) : *text;
    if (is_escaped) text += 3;
  }
  char *next = *text ? text + 1 : text;
  *to = 0;
  return next;
}
