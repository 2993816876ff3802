#include "stage0.h"

/* As if it had exited with 255; only an ignored SIGCHLD leads here. */
#define STATUS_UNKNOWN 0xff00

/* In /dev. */
#define CONSOLE_TTY "levain-tty"

int wait_for(long pid)
{
  int status;
  for (;;) {
    long got = wait_for_any(&status, 0);
    if (got == pid) return status;
    if (got < 0 && got != -EINTR) return STATUS_UNKNOWN;
  }
}

static void sleep_and_reap(void)
{
  int status;
  sleep_for(1, 0);
  while (wait_for_any(&status, WNOHANG) > 0) {
  }
}

static void wait_for_hands(const char *why)
{
  say(why, "the boot cannot continue: see the errors above, then press Ctrl-Alt-Del or switch the machine off");
  for (;;) sleep_and_reap();
}

/* A process that still reads from the terminal, such as a shell that outlived levain, would take every other key from our shell. */
static void hang_up(const char *terminal)
{
  long fd = open_file_in(DEV_FD, terminal, O_RDWR | O_NOCTTY);
  if (fd < 0) return;
  control(fd, TIOCVHANGUP, 0);
  close_file(fd);
}

/* Neither /dev/console nor /dev/tty0 can be a controlling terminal, so the terminal behind it gets a node of its own. */
static long open_console_terminal(const char *place)
{
  u32 device = 0;
  long console = open_file_in(DEV_FD, *place ? place : "console", O_RDWR | O_NOCTTY);
  if (console < 0) console = open_file_in(DEV_FD, SCREEN, O_RDWR | O_NOCTTY);
  if (console < 0) return console;
  if (control(console, TIOCGDEV, &device) < 0) return console;
  remove_file(DEV_FD, CONSOLE_TTY, 0); /* of another console */
  make_node(DEV_FD, CONSOLE_TTY, 0600, device);
  hang_up(CONSOLE_TTY);
  long terminal = open_file_in(DEV_FD, CONSOLE_TTY, O_RDWR | O_NOCTTY);
  if (terminal < 0) return console;
  close_file(console);
  return terminal;
}

static const char *find_shell(void)
{
  static const char *const SHELLS[] = {"/bin/busybox", "/bin/sh", "/usr/bin/busybox", "/usr/bin/sh"};
  for (u64 i = 0; i < sizeof SHELLS / sizeof *SHELLS; i++)
    if (can_execute(SHELLS[i])) return SHELLS[i];
  return 0;
}

/* In the child. */
static void become_shell(const char *shell, char **envp, const char *place)
{
  char *argv[] = {"sh", 0}, *terminal_type = "TERM=linux";
  for (; *envp; envp++)
    if (begins_with(*envp, "TERM=")) terminal_type = *envp;
  char *environment[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/", "PS1=levain:\\w# ", terminal_type, 0};

  new_session();
  long terminal = open_console_terminal(place);
  if (terminal >= 0) {
    mend_terminal(terminal);
    control(terminal, TIOCSCTTY, (void *)1);
    for (long to = 0; to <= 2; to++) duplicate(terminal, to, 0);
    if (terminal > 2) close_file(terminal);
  }
  long error = execute(shell, argv, environment);
  say("could not start ", shell, ": ", describe_error(error));
  leave(127);
}

static int run_shell(const struct policy *policy, char **envp, const char *again)
{
  const char *shell = find_shell();
  if (!shell) return 0;
  if (!seal_volumes(policy)) wait_for_hands("could not close an encrypted volume or remove a key file, so no shell is started; ");
  say("rescue shell: `exit` ", again);
  char place[PLACE_MAX] = "";
  for (long pid = 1; pid > 0;) {
    say_place(place);
    pid = fork_process();
    if (pid == 0) become_shell(shell, envp, place);
    if (pid > 0 && !wait_for_shell(pid, place)) break;
    /* The shell ends with its terminal. */
    hang_up(CONSOLE_TTY);
    if (pid > 0) wait_for(pid);
  }
  /* If the console is gone, every shell ends at once: without a pause, a busy loop. */
  sleep_and_reap();
  return 1;
}

static void count_down(const char *words, const struct policy *policy)
{
  static const char *const WHY[] = {"rdshell=0 allows no shell: ", "rdshell=ask: levain has ended, and only it can ask: ", ""};
  const char *why = WHY[policy->shell];
  for (long seconds = policy->seconds; seconds > 0; seconds--) {
    if (seconds <= 5 || seconds % 10 == 0) say(why, words, " in ", number_text(seconds), " s");
    sleep_and_reap();
  }
  say(why, words, " now");
}

void apply_policy(const struct policy *policy, char **envp, const char *again)
{
  switch (policy->action) {
  case ACTION_SHELL:
    if (run_shell(policy, envp, again)) return;
    wait_for_hands("this image has no shell (/bin/busybox, /bin/sh); ");
    break;
  case ACTION_REBOOT:
    count_down("rebooting", policy);
    switch_power(REBOOT_RESTART);
    break;
  case ACTION_POWEROFF:
    count_down("powering off", policy);
    switch_power(REBOOT_POWER_OFF);
    break;
  case ACTION_HALT:
    count_down("halting", policy);
    switch_power(REBOOT_HALT);
    break;
  }
  wait_for_hands("the kernel refused; ");
}
