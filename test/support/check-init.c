/*
 * A real init that checks what it was given: everything must be as if the kernel itself had started it. One line each,
 * "PASS name" or "FAIL name: what was seen", the arguments, variables and mounts as "ARG …", "ENV …" and "MOUNT place type", a last line
 * "check-init: N passed, M failed"; then it powers the machine off. Started as `check-init bare` (by the kernel, from
 * an initramfs) it leaves out what only a boot loader of roots can bring about: the checks check themselves that way.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

extern char **environ;
static int passed, failed;

static void check(const char *name, int good, const char *format, ...)
{
  va_list values;
  if (good) {
    passed++;
    printf("PASS %s\n", name);
    return;
  }
  failed++;
  printf("FAIL %s: ", name);
  va_start(values, format);
  vprintf(format, values);
  va_end(values);
  printf("\n");
}

/* The value of a line "name:\tvalue" of a file of /proc. */
static const char *field(const char *path, const char *name)
{
  static char line[512];
  FILE *file = fopen(path, "re");
  size_t length = strlen(name);
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, length) || line[length] != ':') continue;
    fclose(file);
    line[strcspn(line, "\n")] = 0;
    return line + length + 1 + strspn(line + length + 1, "\t ");
  }
  if (file) fclose(file);
  return "(missing)";
}

static void check_field(const char *name, const char *wanted)
{
  const char *value = field("/proc/self/status", name);
  check(name, !strcmp(value, wanted), "%s, expected %s", value, wanted);
}

/* As the kernel makes a terminal (tty_std_termios): nothing is left of a question for a passphrase. */
static void check_terminal(void)
{
  struct termios terminal;
  const tcflag_t local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  int known = !tcgetattr(0, &terminal);
  check("terminal", known && terminal.c_lflag == local && terminal.c_cc[VEOF] == 4, "local modes %o, end of file %d",
        terminal.c_lflag, terminal.c_cc[VEOF]);
}

static void check_process(void)
{
  check("pid", getpid() == 1, "%d", getpid());
  check("ppid", getppid() == 0, "%d", getppid());
  check("session", getsid(0) == 0, "%d", getsid(0));
  check("process group", getpgid(0) == 0, "%d", getpgid(0));
  check_field("SigIgn", "0000000000000000");
  check_field("SigBlk", "0000000000000000");
  check_field("SigCgt", "0000000000000000");
  check_field("SigPnd", "0000000000000000");
  check_field("ShdPnd", "0000000000000000");
  check_field("Threads", "1");
  check_field("Umask", "0022");
  check_field("NoNewPrivs", "0");
  check_field("Seccomp", "0");
  errno = 0;
  check("nice", getpriority(PRIO_PROCESS, 0) == 0 && !errno, "%d", getpriority(PRIO_PROCESS, 0));
  check("controlling terminal", open("/dev/tty", O_RDWR | O_CLOEXEC) < 0 && errno == ENXIO, "%s", strerror(errno));
}

/* include/asm-generic/resource.h, INIT_RLIMITS. */
static void check_limits(void)
{
  static const struct { const char *name; int number; rlim_t soft, hard; } LIMITS[] = {
    {"limit cpu", RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY},   {"limit fsize", RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY},
    {"limit data", RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY}, {"limit stack", RLIMIT_STACK, 8 << 20, RLIM_INFINITY},
    {"limit core", RLIMIT_CORE, 0, RLIM_INFINITY},             {"limit rss", RLIMIT_RSS, RLIM_INFINITY, RLIM_INFINITY},
    {"limit nofile", RLIMIT_NOFILE, 1024, 4096},               {"limit as", RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY},
    {"limit locks", RLIMIT_LOCKS, RLIM_INFINITY, RLIM_INFINITY},
  };
  for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
    struct rlimit limit = {0, 0};
    getrlimit(LIMITS[i].number, &limit);
    check(LIMITS[i].name, limit.rlim_cur == LIMITS[i].soft && limit.rlim_max == LIMITS[i].hard, "soft %lld, hard %lld",
          (long long)limit.rlim_cur, (long long)limit.rlim_max);
  }
}

static void check_descriptors(void)
{
  int seen = 0, others = 0;
  char first[64] = "", target[64], path[64];
  DIR *directory = opendir("/proc/self/fd");
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    int fd = atoi(entry->d_name);
    struct stat status;
    if (entry->d_name[0] == '.' || fd == dirfd(directory)) continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
    if (fd > 2) {
      others++;
      strcpy(first, target);
      continue;
    }
    /* The name tells it from the same device's node in the initramfs, which would keep that alive. */
    int is_console = !fstat(fd, &status) && status.st_rdev == makedev(5, 1) && !strcmp(target, "/dev/console");
    seen += is_console && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && fcntl(fd, F_GETFD) == 0;
  }
  if (directory) closedir(directory);
  check("descriptors 0-2 are /dev/console", seen == 3, "%d of them are", seen);
  check("no other descriptors", others == 0, "%d, one of them %s", others, first);
}

static void check_processes(void)
{
  int others = 0;
  char name[128] = "", path[300];
  DIR *directory = opendir("/proc");
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    int pid = atoi(entry->d_name);
    if (pid <= 1) continue;
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    FILE *file = fopen(path, "re");
    /* A kernel thread has no command line, neither has a zombie. */
    if (file && fgets(name, sizeof name, file)) others++;
    if (file) fclose(file);
  }
  if (directory) closedir(directory);
  check("no other processes", others == 0, "%d, one of them %s", others, name);
}

static void check_place(void)
{
  char path[512] = "";
  check("working directory", getcwd(path, sizeof path) && !strcmp(path, "/"), "%s", path);
  ssize_t length = readlink("/proc/self/root", path, sizeof path - 1);
  path[length > 0 ? length : 0] = 0;
  check("root directory", !strcmp(path, "/"), "%s", path);
}

static void check_environment(int argc, char **argv)
{
  const char *ours = NULL, *bun = NULL;
  for (int i = 0; i < argc; i++) printf("ARG %s\n", argv[i]);
  for (char **variable = environ; *variable; variable++) {
    printf("ENV %s\n", *variable);
    if (!strncmp(*variable, "LEVAIN", 6)) ours = *variable;
    if (!strncmp(*variable, "BUN_", 4) || !strncmp(*variable, "NODE_", 5)) bun = *variable;
  }
  check("argv", argc >= 1 && argv[0][0] == '/', "%s", argc ? argv[0] : "(none)");
  check("HOME", getenv("HOME") && !strcmp(getenv("HOME"), "/"), "%s", getenv("HOME") ? getenv("HOME") : "(none)");
  check("TERM", getenv("TERM") && !strcmp(getenv("TERM"), "linux"), "%s", getenv("TERM") ? getenv("TERM") : "(none)");
  check("no variables of levain", !ours, "%s", ours ? ours : "");
  check("no variables of its runtime", !bun, "%s", bun ? bun : "");
}

/* Type of the topmost mount at `place`, and how many are there; proc_pid_mountinfo(5). */
static int count_mounts(const char *place, char type[32])
{
  char line[2048], at[1024];
  int count = 0;
  FILE *file = fopen("/proc/self/mountinfo", "re");
  type[0] = 0;
  while (file && fgets(line, sizeof line, file)) {
    const char *rest = strstr(line, " - ");
    if (!rest || sscanf(line, "%*d %*d %*s %*s %1023s", at) != 1 || strcmp(at, place)) continue;
    count++;
    sscanf(rest + 3, "%31s", type);
  }
  if (file) fclose(file);
  return count;
}

static void print_mounts(void)
{
  char line[2048], at[1024], type[32];
  FILE *file = fopen("/proc/self/mountinfo", "re");
  while (file && fgets(line, sizeof line, file)) {
    const char *rest = strstr(line, " - ");
    if (rest && sscanf(line, "%*d %*d %*s %*s %1023s", at) == 1 && sscanf(rest + 3, "%31s", type) == 1)
      printf("MOUNT %s %s\n", at, type);
  }
  if (file) fclose(file);
}

static void check_mounts(void)
{
  static const char *const PLACES[][3] = {
    {"/dev", "devtmpfs", "tmpfs"}, {"/proc", "proc", "proc"}, {"/sys", "sysfs", "sysfs"}, {"/run", "tmpfs", "tmpfs"}};
  char type[32];
  for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
    int count = count_mounts(PLACES[i][0], type);
    int good = count == 1 && (!strcmp(type, PLACES[i][1]) || !strcmp(type, PLACES[i][2]));
    check(PLACES[i][0], good, "%d mounts, the last of them %s", count, type);
  }
  count_mounts("/", type);
  check("/ is not the initramfs", strcmp(type, "rootfs") && *type, "%s", type);
  /* What lies in rootfs, a tmpfs, counts as shared memory: levain alone would be more than 100 MiB. */
  long shared = atol(field("/proc/meminfo", "Shmem"));
  check("the initramfs is emptied", shared < 16 << 10, "%ld KiB in tmpfs", shared);
}

int main(int argc, char **argv)
{
  int is_bare = argc > 1 && !strcmp(argv[1], "bare");
  if (is_bare) {
    mkdir("/proc", 0755);
    mount("proc", "/proc", "proc", 0, "");
    mkdir("/dev", 0755);
    mount("devtmpfs", "/dev", "devtmpfs", 0, "");
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  check_process();
  check_limits();
  check_descriptors();
  check_terminal();
  check_processes();
  check_place();
  check_environment(argc, argv);
  print_mounts();
  if (!is_bare) check_mounts();
  printf("check-init: %d passed, %d failed\n", passed, failed);
  if (getpid() != 1) return failed > 0;
  tcdrain(1);
  reboot(RB_POWER_OFF);
  for (;;) pause();
}
