/*
 * The exit program, /run/initramfs/shutdown: takes apart at power-off what the boot has stacked. systemd makes /run/initramfs the
 * root and executes it as process 1, with the verb as its first argument (systemd-shutdown(8), bootup(7)); the old root is at
 * /oldroot then. Any other init may call it as its last action, without a change of the root; with "unmount", that init switches the
 * power itself.
 */
#include "exit.h"

ENTRY_CODE;

struct jump start(u64 *words);

#define MOST_IDLE_TURNS 10
#define ONLY_UNMOUNT 0

static u32 choose_command(const char *verb)
{
  static const struct { const char *name; u32 command; } VERBS[] = {
    {"poweroff", REBOOT_POWER_OFF}, {"halt", REBOOT_HALT}, {"kexec", REBOOT_KEXEC}, {"reboot", REBOOT_RESTART}, {"unmount", ONLY_UNMOUNT}};
  for (u64 i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
    if (is_same(verb, VERBS[i].name)) return VERBS[i].command;
  say("unknown way to shut down: ", verb, "; rebooting");
  return REBOOT_RESTART;
}

/*
 * The image of the root lies on a medium that is mounted below the old /run, and that is mounted below the old root: neither could be
 * unmounted before the other.
 */
static void move_old_run(void)
{
  if (process_id() != 1 || !can_read("/oldroot/run")) return;
  make_directory("/oldrun");
  mount("/oldroot/run", "/oldrun", 0, MS_MOVE, 0);
}

/* systemd has ended all processes; another init may have left that to us. */
static void end_processes(void)
{
  if (process_id() != 1) {
    kill_others(SIGTERM);
    sleep_for(1, 0);
  }
  kill_others(SIGKILL);
}

/* Whatever lies on something else keeps it busy, so this goes on while anything changes; a process that was killed may take a moment. */
static int take_apart(void)
{
  int left = unmount_once(), idle = 0;
  while (idle < MOST_IDLE_TURNS) {
    if (close_unused() && !left) return 0;
    int before = left;
    left = unmount_once();
    idle = left < before ? 0 : idle + 1;
    if (idle) sleep_for(0, 100000000);
  }
  return left;
}

struct jump start(u64 *words)
{
  /* The initial stack: argc, argv…. */
  const char *verb = words[0] > 1 ? (const char *)words[2] : "poweroff";
  /* What systemd has open is in the /dev of the old root, which could not be unmounted. */
  close_all_from(3);
  long devices = open_directory(AT_FDCWD, "/dev");
  if (devices >= 0) duplicate(devices, DEV_FD, O_CLOEXEC);
  if (process_id() == 1) open_console();
  u32 command = choose_command(verb);
  change_directory("/");
  /* An init that goes on afterwards ends its processes itself; OpenRC is one of them, and would not wait for us any longer. */
  if (command != ONLY_UNMOUNT) end_processes();
  move_old_run();
  if (take_apart()) make_read_only();
  if (command == ONLY_UNMOUNT) leave(0);
  switch_power(command);
  /* Without a kernel that kexec(8) has loaded, the kernel refuses. */
  switch_power(REBOOT_RESTART);
  for (;;) sleep_for(60, 0);
}
