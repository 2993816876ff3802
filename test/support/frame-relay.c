// Relays Ethernet frames between a tap device and a guest: frame-relay OWN PEER COMMAND. It makes the device tap0 in its network
// namespace, starts COMMAND with a shell, and exchanges frames with QEMU's -netdev dgram by the UNIX sockets OWN and PEER.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un place(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  return address;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  strcpy(request.ifr_name, "tap0");
  if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0) return perror("tap0"), 1;
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  request.ifr_flags = IFF_UP;
  if (ioctl(control, SIOCSIFFLAGS, &request) < 0) return perror("up"), 1;

  int guest = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un own = place(argv[1]), peer = place(argv[2]);
  if (bind(guest, (struct sockaddr *)&own, sizeof own) < 0) return perror(argv[1]), 1;
  if (fork() == 0) {
    execl("/bin/sh", "sh", "-euc", argv[3], (char *)NULL);
    _exit(127);
  }
  for (;;) {
    char frame[65536];
    struct pollfd both[] = {{.fd = tap, .events = POLLIN}, {.fd = guest, .events = POLLIN}};
    if (poll(both, 2, -1) < 0) return 1;
    // Before QEMU has its socket, and after its end, frames are lost, as on any cable.
    if (both[0].revents & POLLIN) {
      ssize_t length = read(tap, frame, sizeof frame);
      if (length > 0) sendto(guest, frame, length, 0, (struct sockaddr *)&peer, sizeof peer);
    }
    if (both[1].revents & POLLIN) {
      ssize_t length = recv(guest, frame, sizeof frame, 0);
      if (length > 0 && write(tap, frame, length) < 0) perror("tap0");
    }
  }
}
