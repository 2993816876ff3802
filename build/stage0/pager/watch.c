#include "pager.h"

#define OOM_SCORE "/proc/self/oom_score_adj"
#define MOST_DESCRIPTORS 1024

/* A pipe that closes with the program, the descriptor of its faults and standard error: nothing else stays open. */
static void keep_only(int uffd, int life)
{
  for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
    if (fd != uffd && fd != life && fd != 2) close_file(fd);
}

/* The signals of the terminal are the program's; running out of memory must not end the one that provides it. */
static void settle(void)
{
  u64 all = ~0ul;
  call4(SYS_rt_sigprocmask, 0, &all, 0, sizeof all);
  new_session();
  write_text_file(OOM_SCORE, "-1000", 5);
}

static void describe_end(struct incident *incident, long pid, int status)
{
  char *to = incident->words;
  int signal = status & 0x7f;
  incident->pid = (int)pid;
  incident->signal = signal;
  if (!signal && incident->words[0]) return;
  copy_text(to, signal ? "the pager, which unpacks the runtime, was killed by " : "the pager ended with exit status ");
  copy_text(to + length_of(to), signal ? describe_signal(signal) : number_text(status >> 8 & 0xff));
}

/*
 * The program's processes are stopped at the next page that they miss, because we hold their descriptors, too (CLONE_FILES): without
 * one, they would read zeros. Whatever asks for a page now is killed; we end when none is left.
 */
static void kill_askers(int life)
{
  struct uffd_message message;
  char byte;
  for (;;) {
    if (read_bytes(life, &byte, 1) == 0) leave(1);
    for (int fd = 0; fd < MOST_DESCRIPTORS; fd++) {
      if (fd == life || fd == 2) continue;
      /* Also for what the pager has read and not answered. */
      wake_all(fd);
      while (read_bytes(fd, &message, sizeof message) == sizeof message)
        if (message.event == UFFD_EVENT_PAGEFAULT) kill_process(message.fault.thread, SIGKILL);
    }
    sleep_for(0, 10000000);
  }
}

void watch_pager(int uffd, int life, const struct vector *vector, struct incident *incident, int is_boot)
{
  long program = call0(SYS_getppid);
  int status = 0;
  keep_only(uffd, life);
  settle();
  long pid = call5(SYS_clone, SIGCHLD | CLONE_FILES, 0, 0, 0, 0);
  if (pid == 0) serve_faults(uffd, life, vector, incident);
  if (pid > 0) status = wait_for(pid);
  if (pid > 0 && status == 0) leave(0);
  if (pid > 0) describe_end(incident, pid, status);
  else copy_text(incident->words, "could not start the pager, which unpacks the runtime");
  /* In a boot, process 1 reports it. */
  if (!is_boot) complain(incident->words);
  if (call0(SYS_getppid) == program) kill_process(program, SIGKILL);
  kill_askers(life);
}
