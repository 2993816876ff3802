#include "stage0.h"

#define DEVICE(major, minor) ((major) << 8 | (minor))

struct node {
  const char *path;
  u32 mode;
  u32 device;
};

/* Documentation/admin-guide/devices.txt: the nodes that a boot needs for its messages if the kernel has no devtmpfs. */
static const struct node NODES[] = {
  {"/dev/null", 0666, DEVICE(1, 3)},     {"/dev/zero", 0666, DEVICE(1, 5)},    {"/dev/full", 0666, DEVICE(1, 7)},
  {"/dev/random", 0666, DEVICE(1, 8)},   {"/dev/urandom", 0666, DEVICE(1, 9)}, {"/dev/kmsg", 0600, DEVICE(1, 11)},
  {"/dev/tty", 0666, DEVICE(5, 0)},      {"/dev/console", 0600, DEVICE(5, 1)}, {"/dev/ptmx", 0666, DEVICE(5, 2)},
  {"/dev/tty0", 0600, DEVICE(4, 0)},     {"/dev/tty1", 0600, DEVICE(4, 1)},    {"/dev/ttyS0", 0600, DEVICE(4, 64)},
  {"/dev/ttyAMA0", 0600, DEVICE(204, 64)}, {"/dev/hvc0", 0600, DEVICE(229, 0)},
};

/* EBUSY: it is already mounted there, by the kernel or by the program that started us. */
static long mount_once(const char *source, const char *target, const char *type, u64 flags, const char *options)
{
  long result = mount(source, target, type, flags, options);
  return result == -EBUSY ? 0 : result;
}

static void make_nodes(void)
{
  u32 mask = set_umask(0);
  for (u64 i = 0; i < sizeof NODES / sizeof *NODES; i++) make_node(AT_FDCWD, NODES[i].path, NODES[i].mode, NODES[i].device);
  set_umask(mask);
}

static void mount_devices(void)
{
  make_directory("/dev");
  if (mount_once("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") == 0) return;
  /* A mount, so that it can be moved into the new root like a devtmpfs. */
  if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=0755") < 0) mount("ramfs", "/dev", "ramfs", MS_NOSUID, "mode=0755");
  make_nodes();
}

static void hold_devices(void)
{
  long fd = open_file("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  duplicate(fd, DEV_FD, O_CLOEXEC);
  if (fd != DEV_FD) close_file(fd);
}

/*
 * The kernel has opened the console if the initramfs has a /dev/console. A closed descriptor would be given to the next file opened.
 * If no console= of the command line exists (a serial line on a machine without one), the screen is the console.
 */
static void fill_standard_files(void)
{
  long fd;
  do {
    fd = open_file("/dev/console", O_RDWR | O_NOCTTY);
    if (fd < 0) fd = open_file("/dev/" SCREEN, O_RDWR | O_NOCTTY);
    if (fd < 0) fd = open_file("/dev/null", O_RDWR);
  } while (fd >= 0 && fd < 2);
  if (fd > 2) close_file(fd);
}

void prepare_machine(void)
{
  make_directory("/proc");
  long error = mount_once("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  mount_devices();
  fill_standard_files();
  /* The kernel opens no others, but an init that started us may have. */
  close_all_from(3);
  hold_devices();
  if (error < 0) say("could not mount /proc: ", describe_error(error));
}
