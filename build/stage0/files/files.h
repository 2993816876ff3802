/*
 * Comparing and copying small files, many at a time, for `levain sync` (src/machine/linux/trees/many-files.ts): of 10,000 files, the
 * system calls take a third of the time that the runtime needs to make them. A library without a C library; it keeps nothing between
 * two calls, and is called by one thread. Whatever is rare (large files, holes, whiteouts) is left to the caller.
 */
#pragma once
#include "../entries.h"

#define CALLABLE __attribute__((visibility("default")))
#define MOST_BYTES (1 << 20)
#define O_NOATIME 01000000
#define STATX_BASIC_STATS 0x7ff
#define AT_EMPTY_PATH 0x1000
#define S_IFMT 0170000
#define S_IFREG 0100000

typedef u64 __attribute__((may_alias)) word;
struct time { long seconds; u32 nanoseconds; u32 unused; };
/* The beginning of struct statx of linux/stat.h. */
struct facts {
  u32 mask, block_size; u64 attributes;
  u32 links, user, group; unsigned short mode, unused;
  u64 inode, size, blocks, attribute_mask;
  struct time accessed, created, changed, modified;
  u32 major, minor;
  u8 rest[120];
};

#define IS_LEFT 1
#define MOST_SECONDS 9000000000

/* Nanoseconds since 1970, if `fits`. */
static inline int fits(const struct time *time) { return time->seconds < MOST_SECONDS && time->seconds > -MOST_SECONDS; }
static inline long in_nanoseconds(const struct time *time) { return time->seconds * 1000000000 + time->nanoseconds; }

/* The content of two files. */
extern u8 mine[MOST_BYTES], theirs[MOST_BYTES];

static inline int differ(const u8 *one, const u8 *other, u64 size)
{
  u64 at = 0;
  for (; at + 8 <= size; at += 8)
    if (*(const word *)(one + at) != *(const word *)(other + at)) return 1;
  for (; at < size; at++)
    if (one[at] != other[at]) return 1;
  return 0;
}

static inline long look_at(long in, const char *name, int flags, struct facts *to)
{
  return call5(SYS_statx, in, name, flags, STATX_BASIC_STATS, to);
}

static inline long open_for_reading(long in, const char *name)
{
  int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  long fd = open_file_in(in, name, flags | O_NOATIME);
  return fd >= 0 ? fd : open_file_in(in, name, flags); /* only the owner of a file may leave its access time as it is */
}

static inline int is_small_file(const struct facts *file)
{
  return (file->mode & S_IFMT) == S_IFREG && file->size <= MOST_BYTES;
}

/* Returns the bytes that were read: fewer only at the end of the file. */
static inline long read_whole(long fd, u8 *to, u64 size)
{
  u64 done = 0;
  while (done < size) {
    long count = call4(SYS_pread64, fd, to + done, size - done, done);
    if (count == -EINTR) continue;
    if (count < 0) return count;
    if (count == 0) break;
    done += count;
  }
  return done;
}
