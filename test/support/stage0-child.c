/*
 * Plays the runtime in tests of stage0: small, quick, and as ill-behaved as asked for. What it does is the content of
 * the file /how, or else the value of the variable CHILD, which the kernel takes from its command line: `CHILD=abort`.
 * Where stage0 is not its parent it tells what it was given and exits with the number in STATUS.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static int pipe_fd = -1;
/* More than a page of each, so that a loader that forgets to clear memory is noticed. */
static char zeros[1 << 20];
static __thread int thread_local = 42;

static void fail(const char *what)
{
  printf("child: %s: %s\n", what, strerror(errno));
  exit(9);
}

static void need(int result, const char *what)
{
  if (result < 0) fail(what);
}

/* The strings up to the null, each with its own 0 behind it. */
static void tell(const char *const *words)
{
  static char message[1 << 16];
  size_t size = 0;
  for (; *words; words++) size += (size_t)(stpcpy(message + size, *words) - (message + size)) + 1;
  if (write(pipe_fd, message, size) != (ssize_t)size) fail("write to stage0");
}
#define TELL(...) tell((const char *const[]){"levain1", __VA_ARGS__, NULL})

static void copy(const char *from, const char *to)
{
  static char buffer[1 << 16];
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0755);
  ssize_t count;
  need(in, from);
  need(out, to);
  while ((count = read(in, buffer, sizeof buffer)) > 0) need((int)write(out, buffer, (size_t)count), to);
  close(in);
  close(out);
}

/* A new root in a tmpfs with /check-init in it, and the API mounts moved, as levain does it. */
static void make_root(void)
{
  static const char *const DIRECTORIES[] = {"/sysroot/dev", "/sysroot/proc", "/sysroot/sys", "/sysroot/run", "/sysroot/sbin", "/sysroot/bin", "/sysroot/initrd"};
  mkdir("/sysroot", 0755);
  need(mount("tmpfs", "/sysroot", "tmpfs", 0, ""), "mount /sysroot");
  for (size_t i = 0; i < sizeof DIRECTORIES / sizeof *DIRECTORIES; i++) need(mkdir(DIRECTORIES[i], 0755), DIRECTORIES[i]);
  copy("/check-init", "/sysroot/sbin/check-init");
  if (!access("/bin/busybox", X_OK)) copy("/bin/busybox", "/sysroot/bin/busybox");
  need(mount("sysfs", "/sysroot/sys", "sysfs", 0, ""), "mount /sys");
  need(mount("tmpfs", "/sysroot/run", "tmpfs", 0, ""), "mount /run");
  need(mount("/dev", "/sysroot/dev", "", MS_MOVE, ""), "move /dev");
  need(mount("/proc", "/sysroot/proc", "", MS_MOVE, ""), "move /proc");
}

/* Grandchildren that nobody but PID 1 can bury; says how many of them stayed zombies. */
static void leave_orphans(void)
{
  int zombies = 0;
  for (int i = 0; i < 100; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      if (fork() == 0) usleep(1000);
      _exit(0);
    }
    waitpid(pid, NULL, 0);
  }
  sleep(1);
  for (int pid = 2; pid < 2000; pid++) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file && fgets(line, sizeof line, file) && strstr(line, ") Z ")) zombies++;
    if (file) fclose(file);
  }
  printf("child: %d zombies\n", zombies);
}

static void describe(int argc, char **argv)
{
  int sum = 0;
  for (size_t i = 0; i < sizeof zeros; i++) sum |= zeros[i];
  printf("child: pid %d, thread-local %d, zeros %d, umask %o\n", getpid(), thread_local, sum, umask(0));
  printf("child: entry %lx, headers %lu at %lx, loader %s\n", getauxval(AT_ENTRY), getauxval(AT_PHNUM), getauxval(AT_PHDR),
         memcmp((void *)getauxval(AT_BASE), "\177ELF", 4) ? "elsewhere" : "there");
  for (int i = 0; i < argc; i++) printf("child: argument %s\n", argv[i]);
  for (char **variable = environ; *variable; variable++) printf("child: variable %s\n", *variable);
  for (int fd = 0; fd < 300; fd++) {
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, target, sizeof target - 1) > 0)
      printf("child: descriptor %d %s%s\n", fd, target, fcntl(fd, F_GETFD) & FD_CLOEXEC ? " cloexec" : "");
  }
}

static const char *read_wish(void)
{
  static char how[64];
  FILE *file = fopen("/how", "r");
  if (!file || fscanf(file, "%63s", how) != 1) return getenv("CHILD") ? getenv("CHILD") : "";
  fclose(file);
  return how;
}

static void write_to(const char *path, const char *text)
{
  int fd = open(path, O_WRONLY);
  need(fd, path);
  need((int)write(fd, text, strlen(text)), path);
  close(fd);
}

/* The ways to be killed by SIGKILL. */
static void be_killed(const char *how)
{
  char line[128];
  if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
  if (!strcmp(how, "sak")) {
    need(open("/dev/tty1", O_RDWR | O_NOCTTY), "/dev/tty1");
    write_to("/proc/sysrq-trigger", "k");
  }
  if (!strcmp(how, "kill-all")) write_to("/proc/sysrq-trigger", "i");
  if (!strcmp(how, "forged-log")) {
    snprintf(line, sizeof line, "<3>Out of memory: Killed process %d (init)\n", getpid());
    write_to("/dev/kmsg", line);
    kill(getpid(), SIGKILL);
  }
  if (!strcmp(how, "out-of-memory"))
    for (;;) memset(malloc(1 << 20), 1, 1 << 20);
  if (!strcmp(how, "sak") || !strcmp(how, "kill-all")) sleep(60);
}

static void behave(const char *how)
{
  be_killed(how);
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "silence")) {
    /* As levain does while it speaks itself. */
    need(system("echo 1 > /proc/sys/kernel/printk"), "printk");
    abort();
  }
  if (!strcmp(how, "segv")) raise(SIGSEGV);
  if (!strcmp(how, "exit3")) exit(3);
  if (!strcmp(how, "garbage")) need((int)write(pipe_fd, "\xff\xfe garbage", 10), "write");
  if (!strcmp(how, "cut")) TELL("stay", "/", "", "/bin/sh", "", "1", "sh", "0");
  if (!strcmp(how, "big")) {
    need((int)write(pipe_fd, zeros, sizeof zeros), "write");
    if (write(pipe_fd, zeros, sizeof zeros) < 0) printf("child: the second write: %s\n", strerror(errno));
  }
  if (!strcmp(how, "message-then-abort")) {
    TELL("poweroff", "", "", "", "", "0", "0", "end");
    abort();
  }
  if (!strcmp(how, "missing-init")) TELL("stay", "/", "", "/no/init", "", "1", "/no/init", "0", "end");
  if (!strcmp(how, "missing-root")) TELL("switch_root", "/nowhere", "", "/init", "", "1", "/init", "0", "end");
  if (!strcmp(how, "late-init")) {
    make_root();
    TELL("switch_root", "/sysroot", "", "/sbin/late", "", "3", "/sbin/late", "one two", "", "3", "HOME=/", "TERM=linux", "WORD=a b", "end");
  }
  if (!strcmp(how, "reboot") || !strcmp(how, "poweroff") || !strcmp(how, "halt")) TELL(how, "", "", "", "", "0", "0", "end");
  if (!strcmp(how, "chatty")) {
    for (int line = 0; line < 100; line++) fprintf(stderr, "child: line %03d of a long speech\n", line);
    TELL("reboot", "", "", "", "", "0", "0", "end");
  }
  if (!strcmp(how, "kill-parent"))
    for (int signal = 1; signal < 32; signal++) kill(1, signal);
  if (!strcmp(how, "orphans")) leave_orphans();
  if (!strcmp(how, "raw-terminal")) {
    need(system("stty raw -echo </dev/console"), "stty");
    abort();
  }
  if (!strcmp(how, "pivot_root") || !strcmp(how, "pivot_root-keep")) {
    make_root();
    int keep = !strcmp(how, "pivot_root-keep");
    TELL("pivot_root", "/sysroot", keep ? "/initrd" : "", "/sbin/check-init", "", "3", "/sbin/check-init", "one two", "",
         "3", "HOME=/", "TERM=linux", "WORD=a b", "end");
  }
}

int main(int argc, char **argv)
{
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *fd = getenv("LEVAIN_HANDOVER_FD"), *status = getenv("STATUS"), *how = read_wish();
  if (!fd || !strcmp(how, "describe")) describe(argc, argv);
  if (!fd) return status ? atoi(status) : 0;
  pipe_fd = atoi(fd);
  behave(how);
  return 0;
}
