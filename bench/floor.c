/* What no initramfs can be faster than: load what lies in /modules, mount the one disk, go. No search, no checks, no words. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int load(int number)
{
  char path[32];
  snprintf(path, sizeof path, "/modules/%d.ko", number);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  syscall(SYS_finit_module, fd, "", 0);
  close(fd);
  return 1;
}

int main(void)
{
  mount("dev", "/dev", "devtmpfs", 0, "mode=0755");
  for (int number = 0; load(number); number++);
  while (mount("/dev/vda", "/root", "ext4", MS_RDONLY, 0) < 0) usleep(1000);
  mount("/dev", "/root/dev", 0, MS_MOVE, 0);
  chdir("/root");
  mount(".", "/", 0, MS_MOVE, 0);
  chroot(".");
  chdir("/");
  execl("/sbin/init", "/sbin/init", (char *)0);
  return 1;
}
