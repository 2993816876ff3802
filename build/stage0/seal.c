/* Before stage0 starts a shell, it closes every encrypted volume and removes every key file of the image. What the runtime knew is lost. */
#include "stage0.h"

#define MOUNTS "/proc/self/mounts"
#define MOUNTS_MAX 65536
#define KEY_LIST "/run/levain/keys"
#define MOST_LOOPS 64
#define LOOP_CLR_FD 0x4c01

/* linux/dm-ioctl.h */
#define DM_CONTROL "mapper/control"
#define DM_REMOVE_ALL 0xc138fd01
#define DM_LIST_DEVICES 0xc138fd02
#define DM_BUFFER_FULL_FLAG (1 << 8)
struct dm_request {
  u32 version[3], data_size, data_start, target_count, open_count, flags, event_number, padding;
  u64 device;
  char name[128], uuid[129], unused[7];
  /* Of struct dm_name_list: 0 if the list is empty. */
  u64 first_device;
  char rest[248];
};
_Static_assert(__builtin_offsetof(struct dm_request, first_device) == 312, "struct dm_ioctl has 312 bytes");

/* Cuts off the word at `text` at the next space and decodes the kernel's escapes ("\040"); returns the rest. */
static char *take_word(char *text)
{
  char *to = text;
  for (; *text && *text != ' ' && *text != '\n'; text++) {
    int is_escaped = text[0] == '\\' && text[1] && text[2] && text[3];
    *to++ = is_escaped ? (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0')) : *text;
    if (is_escaped) text += 3;
  }
  char *next = *text ? text + 1 : text;
  *to = 0;
  return next;
}

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

static void detach_loops(void)
{
  for (long i = 0; i < MOST_LOOPS; i++) {
    char name[64] = "loop";
    decimal(i, name + length_of(name));
    long fd = open_file_in(DEV_FD, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    control(fd, LOOP_CLR_FD, 0);
    close_file(fd);
  }
}

static long ask_device_mapper(long fd, u64 request, struct dm_request *answer)
{
  *answer = (struct dm_request){.version = {4, 0, 0}, .data_size = sizeof *answer, .data_start = 312};
  return control(fd, request, answer);
}

/* Returns 0 if there is a device-mapper device, or may be one; with `removes` it first removes those that are not in use. */
static int has_no_mapping(int removes)
{
  /* By descriptor: the path may lead into the new root, or may be gone. */
  long fd = open_file_in(DEV_FD, DM_CONTROL, O_RDWR | O_CLOEXEC);
  if (fd < 0) return fd == -ENOENT;
  struct dm_request answer;
  if (removes) ask_device_mapper(fd, DM_REMOVE_ALL, &answer);
  int is_empty =
    ask_device_mapper(fd, DM_LIST_DEVICES, &answer) >= 0 && !(answer.flags & DM_BUFFER_FULL_FLAG) && !answer.first_device;
  close_file(fd);
  return is_empty;
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
  detach_loops();
  /* A detached mount goes with its last user, which may take a moment. */
  for (int turn = 0; turn < 20; turn++) {
    if (has_no_mapping(1)) return 1;
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
    if (turn > 50 && has_no_mapping(0)) return 1;
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
