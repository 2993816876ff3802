/*
 * What the kernel of a test starts: becomes /init, while a child has the kernel report changes of a disk without end, as a broken
 * or malicious one would. EVENT_DISK=vdb names it, EVENT_MS=20 is the pause between two reports; 0: as fast as it goes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void flood(const char *disk, long pause_ms)
{
  char path[64];
  int fd = -1;
  snprintf(path, sizeof path, "/sys/class/block/%s/uevent", disk);
  while (fd < 0 && (fd = open(path, O_WRONLY | O_CLOEXEC)) < 0) usleep(1000);
  for (;;) {
    pwrite(fd, "change", 6, 0);
    if (pause_ms) usleep((useconds_t)pause_ms * 1000);
  }
}

int main(int argc, char **argv)
{
  const char *disk = getenv("EVENT_DISK"), *pause = getenv("EVENT_MS");
  (void)argc;
  mkdir("/sys", 0755);
  if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "") < 0) perror("uevent-flood: /sys");
  if (fork() == 0) flood(disk ? disk : "vdb", pause ? atol(pause) : 20);
  execv("/init", argv);
  perror("/init");
  return 1;
}
