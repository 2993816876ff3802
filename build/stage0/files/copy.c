/* Copies one file. */
#include "files.h"

#define EIO 5
#define O_CREAT 0100
#define O_EXCL 0200
#define UTIME_OMIT 0x3ffffffe

/* What is kept of a file, and how it was when that was decided. */
struct plan { u32 user, group, mode, size; long modified, changed, inode; };

#define COPIED 0
#define HAS_CHANGED 2

static long write_whole(long fd, const u8 *from, u64 size)
{
  for (u64 done = 0; done < size;) {
    long count = call4(SYS_pwrite64, fd, from + done, size - done, done);
    if (count == -EINTR) continue;
    if (count <= 0) return count < 0 ? count : -EIO;
    done += count;
  }
  return 0;
}

/* The owner first: changing it removes the set-user-ID bit. The time last. */
static long fill(long fd, const struct plan *plan)
{
  long nanoseconds = (plan->modified % 1000000000 + 1000000000) % 1000000000;
  long times[4] = {0, UTIME_OMIT, (plan->modified - nanoseconds) / 1000000000, nanoseconds};
  long result = write_whole(fd, mine, plan->size);
  if (result >= 0) result = call3(SYS_fchown, fd, plan->user, plan->group);
  if (result >= 0) result = call2(SYS_fchmod, fd, plan->mode);
  if (result >= 0) result = call4(SYS_utimensat, fd, 0, times, 0);
  return result;
}

static int is_as_planned(const struct facts *now, const struct plan *plan)
{
  return now->inode == (u64)plan->inode && now->size == plan->size && fits(&now->changed) &&
         in_nanoseconds(&now->changed) == plan->changed;
}

static long copy_open(long from, long to, const char *new_name, const struct plan *plan)
{
  struct facts now;
  if (look_at(from, "", AT_EMPTY_PATH, &now) < 0 || !is_small_file(&now) || now.blocks * 512 < now.size) return IS_LEFT;
  if (!is_as_planned(&now, plan)) return IS_LEFT;
  long size = plan->size;
  if (read_whole(from, mine, size) != size) return IS_LEFT;
  long fd = call4(SYS_openat, to, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return fd;
  long result = fill(fd, plan);
  close_file(fd);
  if (result < 0) return result;
  /* A write through mmap(2) changes no time: the data is read once more. */
  if (read_whole(from, theirs, size) != size || differ(mine, theirs, size)) return HAS_CHANGED;
  return COPIED;
}

/*
 * Copies a file without extended attributes into a new one. Returns COPIED; IS_LEFT if the caller has to do it; HAS_CHANGED if it was
 * written to meanwhile; -errno. Only after IS_LEFT it is certain that there is no new file.
 */
CALLABLE int copy_file(int in, const char *name, int to, const char *new_name, const struct plan *plan)
{
  struct facts now;
  long from = open_for_reading(in, name);
  if (from < 0) return IS_LEFT;
  long result = copy_open(from, to, new_name, plan);
  close_file(from);
  if (result != COPIED) return result;
  int is_there = look_at(in, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, &now) >= 0;
  return is_there && is_as_planned(&now, plan) ? COPIED : HAS_CHANGED;
}
