#include "stage0.h"

#define LINE_MAX 700
#define KERN_ERR "<3>"
#define KERN_INFO "<6>"

/* "<3>levain: …\n"; control characters become question marks. */
static u64 compose(char *line, const char *level, const char *const *words)
{
  u64 length = 0;
  for (; *level; level++) line[length++] = *level;
  for (const char *c = "levain: "; *c; c++) line[length++] = *c;
  for (; *words; words++)
    for (const char *c = *words; *c && length < LINE_MAX - 1; c++)
      line[length++] = (u8)*c < ' ' || *c == 0x7f ? '?' : *c;
  line[length++] = '\n';
  return length;
}

long read_text_file(const char *path, char *to, u64 size)
{
  /* O_NONBLOCK: in a new root without our /proc, the path may lead to a pipe. */
  long fd = open_file(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fd;
  u64 length = 0;
  long count;
  while (length < size - 1 && (count = read_bytes(fd, to + length, size - 1 - length)) > 0) length += (u64)count;
  to[length] = 0;
  close_file(fd);
  return (long)length;
}

void write_text_file(const char *path, const char *from, u64 size)
{
  long fd = open_file(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  write_bytes(fd, from, size);
  close_file(fd);
}

static int has_console(void)
{
  long fd = open_file_in(DEV_FD, "console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0) close_file(fd);
  return fd >= 0;
}

/* The kernel prints a log record on its consoles if its level is below the first number of this file. */
static int does_kernel_show_errors(void)
{
  char text[64];
  return has_console() && read_text_file(CONSOLE_LEVEL, text, sizeof text) > 0 && (text[0] > '3' || text[1] != '\t');
}

/* Opened again for each line: the rate limit of the log is counted per open file. */
static int write_to_kernel_log(const char *line, u64 size)
{
  long fd = open_file_in(DEV_FD, "kmsg", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  long written = write_bytes(fd, line, size);
  close_file(fd);
  return written > 0;
}

static void write_to_standard_error(const char *line, u64 size)
{
  u64 prefix = sizeof KERN_ERR - 1;
  write_bytes(2, line + prefix, size - prefix);
}

void say_words(const char *const *words)
{
  char line[LINE_MAX];
  u64 size = compose(line, KERN_ERR, words);
  if (!write_to_kernel_log(line, size) || !does_kernel_show_errors()) write_to_standard_error(line, size);
}

void complain_words(const char *const *words)
{
  char line[LINE_MAX];
  write_to_standard_error(line, compose(line, KERN_ERR, words));
}

void note_words(const char *const *words)
{
  char line[LINE_MAX];
  u64 size = compose(line, KERN_INFO, words);
  long fd = open_file("/dev/kmsg", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  write_bytes(fd, line, size);
  close_file(fd);
}
