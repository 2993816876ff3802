/* Which files of two directories are the same. */
#include "files.h"

#define MOST_NAMES 4096

u8 mine[MOST_BYTES], theirs[MOST_BYTES];

static u64 length_of(const char *text)
{
  u64 length = 0;
  while (text[length]) length++;
  return length;
}

static int is_same_time(const struct time *one, const struct time *other)
{
  return one->seconds == other->seconds && one->nanoseconds == other->nanoseconds;
}

static int begins_with(const char *text, const char *beginning)
{
  while (*beginning)
    if (*text++ != *beginning++) return 0;
  return 1;
}

static int is_origin(const char *name) { return begins_with(name, "trusted.overlay.origin") && name[22] == 0; }

/* Returns how many extended attributes of `list` the other file has with the same value; -1 if one is not the same, or says that the file is a part of an overlay. Where a copied file came from says nothing about it. */
static int count_shared(long one, long other, const char *list, long size)
{
  static u8 value[MOST_NAMES], same[MOST_NAMES];
  int count = 0;
  for (const char *name = list; name < list + size; name += length_of(name) + 1) {
    if (is_origin(name)) continue;
    if (begins_with(name, "trusted.overlay.")) return -1;
    long length = call4(SYS_fgetxattr, one, name, value, sizeof value);
    if (length < 0 || call4(SYS_fgetxattr, other, name, same, sizeof same) != length) return -1;
    if (differ(value, same, length)) return -1;
    count++;
  }
  return count;
}

static int have_same_attributes(long one, long other)
{
  static char list[MOST_NAMES], others[MOST_NAMES];
  long size = call3(SYS_flistxattr, one, list, sizeof list), size_of_others = call3(SYS_flistxattr, other, others, sizeof others);
  if (size < 0 || size_of_others < 0) return 0;
  if (size == 0 && size_of_others == 0) return 1;
  int count = count_shared(one, other, list, size);
  return count >= 0 && count_shared(other, one, others, size_of_others) == count;
}

static int is_same_content(long one, long other, u64 size)
{
  long count = read_whole(one, mine, size);
  return count == (long)size && read_whole(other, theirs, size) == count && !differ(mine, theirs, size);
}

static int is_same_file(long one, long other, const char *name)
{
  struct facts a, b;
  long first = open_for_reading(one, name), second = -1;
  int is_same = first >= 0 && look_at(first, "", AT_EMPTY_PATH, &a) >= 0 && is_small_file(&a) && a.links == 1;
  is_same = is_same && look_at(other, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, &b) >= 0 && b.links == 1;
  is_same = is_same && b.mode == a.mode && b.size == a.size && b.user == a.user && b.group == a.group;
  if (is_same && is_same_time(&a.modified, &b.modified)) second = open_for_reading(other, name);
  is_same = second >= 0 && have_same_attributes(first, second) && is_same_content(first, second, a.size);
  if (second >= 0) close_file(second);
  if (first >= 0) close_file(first);
  return is_same;
}

static long open_listing(long directory) { return open_file_in(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

static int is_dots(const char *name) { return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)); }

/* Returns how many entries a directory has; -1 if it cannot be read. */
static long count_entries(long directory)
{
  struct listing listing = {.directory = open_listing(directory)};
  const struct entry *entry;
  long count = 0;
  while ((entry = next_entry(&listing))) count += !is_dots(entry->name);
  close_file(listing.directory);
  return listing.size < 0 ? -1 : count;
}

/*
 * Writes to `rest` the names of the directory `one`, each with a NUL, but for those of small files with one name that are the same in
 * `other`: content, owner, mode, time and extended attributes. Returns how many bytes that are; -1 if it has no room or cannot read a
 * directory. Sets *has_more to 1 if `other` has entries besides these files.
 */
CALLABLE int compare_directories(int one, int other, char *rest, int room, int *has_more)
{
  struct listing listing = {.directory = open_listing(one)};
  const struct entry *entry;
  long size = 0, same = 0;
  while ((entry = next_entry(&listing))) {
    const char *name = entry->name;
    if (is_dots(name)) continue;
    if (entry->type == DT_REG && is_same_file(one, other, name)) {
      same++;
      continue;
    }
    for (long at = 0; at == 0 || name[at - 1]; at++, size++)
      if (size < room) rest[size] = name[at];
  }
  close_file(listing.directory);
  long others = count_entries(other);
  *has_more = others != same;
  return listing.size < 0 || others < 0 || size > room ? -1 : size;
}
