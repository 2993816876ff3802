#include "stage0.h"

/* include/linux/proc_ns.h, PROC_PID_INIT_INO: the initial process namespace. */
#define FIRST_NAMESPACE "pid:[4026531836]"

int is_first_process(void)
{
  if (process_id() != 1) return 0;
  char name[64];
  long length = read_link("/proc/self/ns/pid", name, sizeof name - 1);
  /* Without /proc, only the kernel can have started us. With it, PID 1 may be a container's. */
  if (length < 0) return 1;
  name[length] = 0;
  return is_same(name, FIRST_NAMESPACE);
}

/* Returns in both: 0 in the child, which has the pipe's other end at HANDOVER_FD. */
static long start_child(int *messages, long log)
{
  int ends[2];
  /* O_NONBLOCK: a message that does not fit into the pipe is an error for its writer, not an endless wait. */
  long error = make_pipe(ends, O_CLOEXEC | O_NONBLOCK);
  if (error < 0) return error;
  long pid = fork_process();
  if (pid == 0) {
    close_file(DEV_FD);
    if (log >= 0) close_file(log);
    duplicate(ends[1], HANDOVER_FD, O_CLOEXEC);
    close_file(ends[0]);
    close_file(ends[1]);
    return 0;
  }
  close_file(ends[1]);
  *messages = ends[0];
  return pid;
}

static u64 read_message(int from, char *to)
{
  u64 size = 0;
  long count;
  while (size < HANDOVER_MAX && (count = read_bytes(from, to + size, HANDOVER_MAX - size)) > 0) size += (u64)count;
  close_file(from);
  return size;
}

static void explain_death(int signal, long pid, long log)
{
  say(signal == SIGKILL ? "killed by " : "crashed: killed by ", describe_signal(signal), " (", number_text(signal), ")");
  if (signal == SIGKILL) explain_kill(log, pid);
  /* What is mapped behind the end of a file gives this signal: the kernel leaves out what it has no memory for, and starts the rest. */
  else if (signal == SIGBUS)
    say("hint: the kernel unpacked only a part of /init: give the machine more memory; if it has enough, write the image again");
  else say("hint: a bug in levain or its runtime, or faulty memory: try again, and please report it");
}

/* The real init must not find processes of ours. The pager ends with the program, within milliseconds. */
static void wait_for_pager(const struct incident *incident)
{
  int status;
  for (int turn = 0; incident->watcher > 0 && turn < 500; turn++) {
    long got = wait_for_any(&status, WNOHANG);
    if (got < 0 || got == incident->watcher) return;
    if (got == 0) sleep_for(0, 1000000);
  }
}

/* The pager failed, and the program was killed for it. */
static void explain_incident(const struct incident *incident, long log)
{
  say(incident->words);
  if (incident->signal == SIGKILL) explain_kill(log, incident->pid);
  else if (incident->lacks_memory) say("hint: give the machine more memory");
  else say(DAMAGED_HINT);
}

/* Returns 0, after a message, if the child left no valid handover. */
static int is_handover(int status, int messages, char *message, char **words, struct handover *handover)
{
  u64 size = read_message(messages, message);
  int code = status >> 8 & 0xff;
  if (status & 0x7f) return 0;
  if (code) {
    say("ended with exit status ", number_text(code), " and without a handover");
    return 0;
  }
  const char *fault = parse_handover(message, size, words, handover);
  if (fault) say("ended without a valid handover: ", fault);
  return !fault;
}

static void follow_until_done(struct handover *handover, const struct policy *policy, char **envp)
{
  struct policy later = *policy;
  for (;;) {
    follow_handover(handover);
    later.is_in_initramfs = !handover->is_entered;
    apply_policy(&later, envp, "tries to start the real init again");
  }
}

struct incident *supervise(const struct vector *vector)
{
  char **envp = vector->envp;
  char message[HANDOVER_MAX + 1], *words[HANDOVER_WORDS];
  struct handover handover;
  struct termios settings;
  const u64 began[] = {microseconds(CLOCK_REALTIME), microseconds(CLOCK_MONOTONIC)};
  prepare_machine();
  const struct termios *console = read_console(&settings) ? &settings : 0;
  /* Read now: by the time of a failure, /proc may have moved into the new root. */
  struct policy policy = read_machine_policy();
  char keys[KEYS_MAX];
  policy.keys = keys;
  policy.keys_size = read_text_file("/etc/levain.keys", keys, sizeof keys);
  /* Without a list there are no keys; a list that fills the buffer may be longer. */
  if (policy.keys_size < 0) policy.keys_size = 0;
  else if (policy.keys_size == KEYS_MAX - 1) policy.keys_size = -1;
  char level[64];
  long level_size = read_text_file(CONSOLE_LEVEL, level, sizeof level);
  struct incident *incident = share_incident();
  for (;; apply_policy(&policy, envp, "starts levain again")) {
    silence_console();
    const char *lack = missing_cpu_feature();
    if (lack) {
      say("this CPU is too old for levain's runtime: it has no ", lack, " (needed: " CPU_NEEDED ")");
      continue;
    }
    u64 page = page_kib(vector);
    if (page > MOST_PAGE_KIB) {
      say(LARGE_PAGES, number_text((long)page), " KiB");
      say(LARGE_PAGES_HINT);
      continue;
    }
    int messages = -1;
    if (incident) *incident = (struct incident){.watcher = 0};
    long log = open_kernel_log();
    long pid = start_child(&messages, log);
    if (pid == 0) {
      start_worker();
      return incident;
    }
    int status = pid < 0 ? 0 : wait_for(pid);
    if (incident) wait_for_pager(incident);
    /* levain keeps the kernel's messages off the console while it runs; the kernel shows ours on every console. */
    if (status && level_size > 0) write_text_file(CONSOLE_LEVEL, level, (u64)level_size);
    if (incident && incident->words[0]) explain_incident(incident, log);
    else if (status & 0x7f) explain_death(status & 0x7f, pid, log);
    if (log >= 0) close_file(log);
    if (pid < 0) say("could not start a process: ", describe_error(pid));
    else if (is_handover(status, messages, message, words, &handover)) {
      handover.console = console;
      handover.began[0] = began[0], handover.began[1] = began[1];
      follow_until_done(&handover, &policy, envp);
    }
    if (level_size > 0) write_text_file(CONSOLE_LEVEL, level, (u64)level_size);
  }
}
