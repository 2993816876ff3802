#include "stage0.h"

/* Documentation/ABI/testing/dev-kmsg; CONSOLE_EXT_LOG_MAX of kernel/printk/printk.c is the most that one read returns. */
#define RECORD_MAX 8192
/* More than the kernel log can hold: it may fill while it is read. */
#define RECORDS_MAX 65536

/* The kernel's messages when it kills a process, and their meaning. With `needs_pid`, the process id follows. */
static const struct cause {
  const char *words;
  int needs_pid;
  const char *hint;
} CAUSES[] = {
  /* __do_SAK() of drivers/tty/tty_io.c */
  {"SAK: killed process ", 1, "the secure attention key (SAK, Alt-SysRq-K) kills every program that has the terminal open"},
  /* __oom_kill_process() of mm/oom_kill.c; "Memory cgroup out of memory" ends the same */
  {"ut of memory: Killed process ", 1, "the machine ran out of memory: give it more"},
  {"ut of memory (oom_kill_allocating_task): Killed process ", 1, "the machine ran out of memory: give it more"},
  /* sysrq_kill_op of drivers/tty/sysrq.c names no process */
  {"sysrq: Kill All Tasks", 0, "Alt-SysRq-I kills every program but process 1"},
};

long open_kernel_log(void)
{
  long fd = open_file_in(DEV_FD, "kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) seek_to_end(fd);
  return fd;
}

/* Returns the place after `words` in `text`, or null. */
static const char *find_behind(const char *text, const char *words)
{
  for (; *text; text++)
    if (begins_with(text, words)) return text + length_of(words);
  return 0;
}

/* Returns the text of "priority,sequence,…;text\n"; null if the record is not the kernel's own (facility 0). */
static char *text_of(char *record)
{
  long priority;
  char *at = record;
  while (*at && *at != ',') at++;
  if (!*at) return 0;
  *at++ = 0;
  if (!parse_number(record, 0, &priority) || priority > 7) return 0;
  while (*at && *at != ';') at++;
  if (!*at) return 0;
  char *text = ++at;
  while (*at && *at != '\n') at++;
  *at = 0;
  return text;
}

static int is_about(const struct cause *cause, const char *text, const char *pid)
{
  const char *behind = find_behind(text, cause->words);
  if (!behind) return 0;
  if (!cause->needs_pid) return 1;
  return begins_with(behind, pid) && behind[length_of(pid)] == ' ';
}

static const struct cause *find_cause(const char *text, const char *pid)
{
  for (u64 i = 0; i < sizeof CAUSES / sizeof *CAUSES; i++)
    if (is_about(&CAUSES[i], text, pid)) return &CAUSES[i];
  return 0;
}

void explain_kill(long log, long pid)
{
  char record[RECORD_MAX], last[RECORD_MAX] = "";
  const char *pid_text = number_text(pid);
  const struct cause *cause = 0;
  for (long count = 0; log >= 0 && count < RECORDS_MAX; count++) {
    long size = read_bytes(log, record, sizeof record - 1);
    /* Records were overwritten before they were read; the next read continues with the oldest. */
    if (size == -EPIPE) continue;
    if (size <= 0) break;
    record[size] = 0;
    char *text = text_of(record);
    const struct cause *found = text ? find_cause(text, pid_text) : 0;
    if (!found) continue;
    cause = found;
    copy_text(last, text);
  }
  if (cause) {
    say("kernel: ", last);
    say("hint: ", cause->hint);
  } else {
    say("hint: a program or a person sent this signal; the kernel log does not say who, and reports no lack of memory");
  }
}
