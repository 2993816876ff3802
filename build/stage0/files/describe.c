/* What an entry of a directory is. */
#include "files.h"

#define EOPNOTSUPP 95

struct description {
  u32 mode, user, group, links, major, minor, has_attributes, unused;
  u64 size, inode;
  long modified, changed;
};

static char *append(char *to, const char *text)
{
  while (*text) *to++ = *text++;
  *to = 0;
  return to;
}

/* An extended attribute is read by a path only, unless the entry is opened. Returns 1 also if that is not known. */
static int has_attributes(int in, const char *name)
{
  char path[512], digits[12], *first = digits + sizeof digits - 1;
  *first = 0;
  do *--first = '0' + in % 10;
  while (in /= 10);
  append(append(append(append(path, "/proc/self/fd/"), first), "/"), name);
  long size = call3(SYS_llistxattr, path, 0, 0);
  return size != 0 && size != -EOPNOTSUPP;
}

/* Describes the entry `name` of the directory `in`. Returns 0; IS_LEFT if the caller has to do it; -errno. */
CALLABLE int describe_entry(int in, const char *name, struct description *to)
{
  struct facts facts;
  long length = 0;
  while (name[length]) length++;
  if (length > 255) return IS_LEFT;
  long result = look_at(in, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, &facts);
  if (result < 0) return result;
  if (!fits(&facts.modified) || !fits(&facts.changed)) return IS_LEFT;
  *to = (struct description){
    .mode = facts.mode, .user = facts.user, .group = facts.group, .links = facts.links,
    .major = facts.major, .minor = facts.minor, .has_attributes = has_attributes(in, name),
    .size = facts.size, .inode = facts.inode,
    .modified = in_nanoseconds(&facts.modified), .changed = in_nanoseconds(&facts.changed),
  };
  return 0;
}
