/*
 * The real init of the benchmark: says on the console when the kernel started /init, when this program was started, and when
 * the host sent its first and its last NMI (at a prompt and before Enter; bench/guest.ts), in microseconds by the clock of the
 * kernel's log; and turns the machine off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

/* A record of /dev/kmsg: "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT". */
static int note(const char *record, const char *text, unsigned long long *microseconds)
{
  const char *start = strchr(record, ';');
  return start && !strncmp(start + 1, text, strlen(text)) && sscanf(record, "%*u,%*u,%llu", microseconds) == 1;
}

int main(void)
{
  static const char mark[] = "bench: handed over\n";
  char record[8192];
  unsigned long long start = 0, end = 0, prompt = 0, enter = 0;
  int log = open("/dev/kmsg", O_RDWR | O_NONBLOCK);
  if (log < 0) {
    /* Not everybody brings /dev along. */
    mount("dev", "/dev", "devtmpfs", 0, "mode=0755");
    log = open("/dev/kmsg", O_RDWR | O_NONBLOCK);
  }
  ssize_t length = write(log, mark, sizeof mark - 1);
  while ((length = read(log, record, sizeof record - 1)) > 0) {
    record[length] = 0;
    note(record, "Run /init as init process", &start);
    note(record, "bench: handed over", &end);
    /* default_do_nmi(), arch/x86/kernel/nmi.c */
    if (note(record, "Uhhuh. NMI received for unknown reason", &enter) && !prompt) prompt = enter;
  }
  int console = open("/dev/console", O_WRONLY | O_NOCTTY);
  dprintf(console, "\nbench: init %llu handover %llu prompt %llu enter %llu\n", start, end, prompt, enter);
  reboot(RB_POWER_OFF);
  return 1;
}
