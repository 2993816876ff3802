/* Loop devices, arrays and device-mapper devices: closed when nothing uses them. */
#include "stage0.h"

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

/* With `removes`, the kernel first removes those that are not in use. */
static int is_mapper_empty(int removes)
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

int has_no_mapping(void) { return is_mapper_empty(0); }

int close_unused(void)
{
  detach_loops();
  int is_empty = is_mapper_empty(1);
  stop_arrays();
  return is_empty;
}
