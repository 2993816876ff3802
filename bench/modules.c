/*
 * Loads the modules in /modules, which N.ko is and what it needs says /modules/N.deps (numbers, each in two digits), with
 * as many threads as `threads=` says, and with `options=` for each; says how long it took until all were in the kernel,
 * and until the disk that `disk=` names was there. Both start when /init does.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 100 };
enum state { WAITING, RUNNING, DONE };

static struct { enum state state; int needs[MOST], needed; } modules[MOST];
static int count;
static const char *options = "";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void read_modules(void)
{
  for (char path[32];; count++) {
    snprintf(path, sizeof path, "/modules/%02d.deps", count);
    FILE *file = fopen(path, "r");
    if (!file) return;
    while (fscanf(file, "%d", &modules[count].needs[modules[count].needed]) == 1) modules[count].needed++;
    fclose(file);
  }
}

static void load(int number)
{
  char path[32];
  snprintf(path, sizeof path, "/modules/%02d.ko", number);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (syscall(SYS_finit_module, fd, options, 0) < 0) perror(path);
  close(fd);
}

static int is_ready(int number)
{
  if (modules[number].state != WAITING) return 0;
  for (int index = 0; index < modules[number].needed; index++)
    if (modules[modules[number].needs[index]].state != DONE) return 0;
  return 1;
}

/* The first that can be loaded now; -1 when all are taken. */
static int take(void)
{
  for (;;) {
    int left = 0;
    for (int number = 0; number < count; number++) {
      if (is_ready(number)) {
        modules[number].state = RUNNING;
        return number;
      }
      left += modules[number].state == WAITING;
    }
    if (!left) return -1;
    pthread_cond_wait(&changed, &lock);
  }
}

static void *work(void *nothing)
{
  pthread_mutex_lock(&lock);
  for (int number; (number = take()) >= 0;) {
    pthread_mutex_unlock(&lock);
    load(number);
    pthread_mutex_lock(&lock);
    modules[number].state = DONE;
    pthread_cond_broadcast(&changed);
  }
  pthread_mutex_unlock(&lock);
  return nothing;
}

static double now_ms(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static const char *word(const char *name, const char *otherwise)
{
  const char *value = getenv(name);
  return value ? value : otherwise;
}

int main(void)
{
  pthread_t others[8];
  mount("dev", "/dev", "devtmpfs", 0, "mode=0755");
  int threads = atoi(word("threads", "1"));
  options = word("options", "");
  read_modules();
  double start = now_ms();
  for (int other = 1; other < threads; other++) pthread_create(&others[other], 0, work, 0);
  work(0);
  for (int other = 1; other < threads; other++) pthread_join(others[other], 0);
  double loaded = now_ms();
  while (access(word("disk", "/dev/vda"), F_OK) < 0) usleep(1000);
  double there = now_ms();
  int console = open("/dev/console", O_WRONLY | O_NOCTTY);
  dprintf(console, "\nbench: %d modules, loaded %.0f disk %.0f\n", count, loaded - start, there - start);
  reboot(RB_POWER_OFF);
  return 1;
}
