/* RAID arrays: stopped when nothing uses them. */
#include "stage0.h"

/* linux/raid/md_u.h */
#define STOP_ARRAY 0x932

static void stop_array(const char *name)
{
  long fd = open_file_in(DEV_FD, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  control(fd, STOP_ARRAY, 0);
  close_file(fd);
}

void stop_arrays(void)
{
  /* By descriptor, as in volumes.c. */
  struct listing devices = {.directory = open_directory(DEV_FD, ".")};
  if (devices.directory < 0) return;
  for (const struct entry *entry; (entry = next_entry(&devices));)
    if (entry->type == DT_BLK && begins_with(entry->name, "md")) stop_array(entry->name);
  close_file(devices.directory);
}
