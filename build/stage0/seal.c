/* Before stage0 starts a shell, it closes every encrypted volume and removes every key file of the image. What the runtime knew is lost. */
#include "stage0.h"

#define MOUNTS "/proc/self/mounts"
#define MOUNTS_MAX 65536
#define KEY_LIST "/run/levain/keys"

/* Unmounts what is on a block device and what the boot has mounted. Detaches, as the order is unknown; a mount goes with its last user. */
static void unmount_all(void)
{
  char text[MOUNTS_MAX];
  if (read_text_file(MOUNTS, text, sizeof text) <= 0) return;
  for (char *line = text; *line;) {
    char *source = line, *target = take_word(source), *rest = take_word(target);
    if (begins_with(source, "/dev/") || begins_with(target, "/sysroot") || begins_with(target, "/run/levain/"))
      if (!is_same(target, "/")) unmount(target, MNT_DETACH);
    while (*rest && *rest != '\n') rest++;
    line = *rest ? rest + 1 : rest;
  }
}

/* Overwritten in place: truncating first would free the pages with their content. */
static int wipe_file(const char *path)
{
  static const char zeros[4096];
  char bytes[4096];
  long from = open_file(path, O_RDONLY | O_CLOEXEC), to = open_file(path, O_WRONLY | O_CLOEXEC), count = -1;
  if (from >= 0 && to >= 0)
    while ((count = read_bytes(from, bytes, sizeof bytes)) > 0) write_bytes(to, zeros, (u64)count);
  if (from >= 0) close_file(from);
  if (to >= 0) close_file(to);
  return remove_file(AT_FDCWD, path, 0) >= 0 || !can_read(path);
}

static int wipe_list(const char *list, long size)
{
  int is_done = 1;
  for (long at = 0; at < size; at += (long)length_of(list + at) + 1)
    if (!wipe_file(list + at)) is_done = 0;
  return is_done;
}

/* The image's own list, and the list that the boot made of the command line. */
static int wipe_keys(const struct policy *policy)
{
  char list[KEYS_MAX];
  if (!policy->is_in_initramfs) return 1;
  long size = read_text_file(KEY_LIST, list, sizeof list);
  if (policy->keys_size < 0 || size >= KEYS_MAX - 1) return 0;
  int is_done = wipe_list(policy->keys, policy->keys_size);
  return wipe_list(list, size) && is_done;
}

static int close_volumes(void)
{
  unmount_all();
  /* A volume may lie on an array, a loop device or another volume; a detached mount goes with its last user, which may take a moment. */
  for (int turn = 0; turn < 20; turn++) {
    if (close_unused()) return 1;
    sleep_for(0, 100000000);
  }
  return 0;
}

/* Waits for the process that closes the volumes. A disk that does not answer may hold it up without end: after 5 s that is said. */
static int wait_for_closing(long pid)
{
  int status;
  for (int turn = 1;; turn++) {
    long got = wait_for_any(&status, WNOHANG);
    if (got == pid) return !status;
    if (got < 0 && got != -EINTR) return 0;
    if (turn > 50 && has_no_mapping()) return 1;
    if (turn == 50) say("a disk does not answer: no shell starts before the encrypted volumes are closed");
    sleep_for(0, 100000000);
  }
}

int seal_volumes(const struct policy *policy)
{
  /* First: the files are in memory, so no disk holds this up. */
  int is_wiped = wipe_keys(policy);
  long pid = fork_process();
  if (pid == 0) leave(!close_volumes());
  int is_closed = pid < 0 ? close_volumes() : wait_for_closing(pid);
  return is_wiped && is_closed;
}
