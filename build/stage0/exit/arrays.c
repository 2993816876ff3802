#include "exit.h"

/* linux/raid/md_u.h */
#define STOP_ARRAY 0x932

/* linux_dirent64 of getdents64(2). */
struct entry {
  u64 inode;
  u64 offset;
  unsigned short length;
  u8 type;
  char name[];
};

static void stop_array(const char *name)
{
  long fd = open_file_in(DEV_FD, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  control(fd, STOP_ARRAY, 0);
  close_file(fd);
}

void stop_arrays(void)
{
  char buffer[4096] __attribute__((aligned(8)));
  long directory = open_directory(AT_FDCWD, "/sys/block"), size;
  if (directory < 0) return;
  while ((size = read_entries(directory, buffer, sizeof buffer)) > 0)
    for (long at = 0; at < size; at += ((const struct entry *)(const void *)(buffer + at))->length) {
      const struct entry *entry = (const void *)(buffer + at);
      if (begins_with(entry->name, "md")) stop_array(entry->name);
    }
  close_file(directory);
}
