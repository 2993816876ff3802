/* Frees the memory of the initramfs: removes everything in it, and nothing outside it. */
#include "stage0.h"

#define RAMFS_MAGIC 0x858458f6
#define TMPFS_MAGIC 0x01021994
#define MOST_LEVELS 64

/* The numbers of the device that a file is on, or ~0 if it is missing. */
static u64 device_of(long directory, const char *name)
{
  struct statx status;
  if (get_status(directory, name, &status) < 0) return ~0ul;
  return (u64)status.device_major << 32 | status.device_minor;
}

static void empty_directory(long directory, u64 device, int levels);

/* An entry that cannot be removed (a mount is on it or below it) stays. */
static void remove_entry(long directory, const struct entry *entry, u64 device, int levels)
{
  if (entry->type != DT_DIR) {
    remove_file(directory, entry->name, 0);
    return;
  }
  if (levels == 0 || device_of(directory, entry->name) != device) return;
  long below = open_directory(directory, entry->name);
  if (below >= 0) {
    empty_directory(below, device, levels - 1);
    close_file(below);
  }
  remove_file(directory, entry->name, AT_REMOVEDIR);
}

static void empty_directory(long directory, u64 device, int levels)
{
  struct listing listing = {.directory = directory};
  for (const struct entry *entry; (entry = next_entry(&listing));)
    if (!is_same(entry->name, ".") && !is_same(entry->name, "..")) remove_entry(directory, entry, device, levels);
}

void empty_initramfs(long old_root)
{
  u64 filesystem[15]; /* struct statfs, which begins with f_type */
  if (get_filesystem(old_root, filesystem) < 0) return;
  /* Only a filesystem in memory may be emptied. */
  if (filesystem[0] != RAMFS_MAGIC && filesystem[0] != TMPFS_MAGIC) return;
  empty_directory(old_root, device_of(old_root, "."), MOST_LEVELS);
}
