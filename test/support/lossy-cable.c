// A cable that loses frames: lossy-cable PERCENT. It makes the devices v0 and v1 in its network namespace, and carries frames from
// each to the other until it is killed; they may be moved into other namespaces meanwhile.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int open_end(const char *name) {
  int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  strcpy(request.ifr_name, name);
  if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0) return perror(name), exit(1), -1;
  return tap;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  struct pollfd ends[] = {{.fd = open_end("v0"), .events = POLLIN}, {.fd = open_end("v1"), .events = POLLIN}};
  // The same frames in each run: a test that fails, fails again.
  unsigned state = 1;
  for (;;) {
    if (poll(ends, 2, -1) < 0) return 1;
    for (int end = 0; end < 2; end++) {
      char frame[65536];
      if (!(ends[end].revents & POLLIN)) continue;
      ssize_t length = read(ends[end].fd, frame, sizeof frame);
      state = state * 1103515245 + 12345;
      // A device that is down takes no frame.
      if (length > 0 && (state >> 16) % 100 >= (unsigned)atoi(argv[1])) (void)!write(ends[1 - end].fd, frame, length);
    }
  }
}
