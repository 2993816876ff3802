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
  int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  if (look_at(one, name, flags, &a) < 0 || !is_small_file(&a) || a.links != 1) return 0;
  if (look_at(other, name, flags, &b) < 0 || b.links != 1 || b.mode != a.mode || b.size != a.size) return 0;
  if (a.user != b.user || a.group != b.group || !is_same_time(&a.modified, &b.modified)) return 0;
  long first = open_for_reading(one, name);
  long second = first < 0 ? first : open_for_reading(other, name);
  int is_same = second >= 0 && have_same_attributes(first, second) && is_same_content(first, second, a.size);
  if (second >= 0) close_file(second);
  if (first >= 0) close_file(first);
  return is_same;
}

/*
 * Sets same[i] to 1 if the name i, of `names` (each ends with a NUL), is in both directories a small file with one name, with the same
 * content, owner, mode, time and extended attributes.
 */
CALLABLE void compare_files(int one, int other, const char *names, int count, u8 *same)
{
  for (int i = 0; i < count; i++, names += length_of(names) + 1) same[i] = is_same_file(one, other, names);
}
