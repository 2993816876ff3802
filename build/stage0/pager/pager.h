/*
 * A program whose runtime is compressed: the packer (build/stage0/paged/) leaves its segments out of the program headers and puts
 * their pages into the store. They are unpacked when they are touched (userfaultfd(2)), by a process of its own; pages that boots
 * touch together are in one group. docs/stage0.md has the picture.
 */
#pragma once

#include "../stage0.h"

#define PAGE 4096ul

/* --- store.c: written by build/stage0/paged/store.ts --- */

#define STORE_MAGIC "levain2p"
#define MOST_REGIONS 6
/* Flags of a store: unpack everything at the start; log the touched pages (bench/hot-pages.ts). */
#define STORE_EAGER 1u
#define STORE_LOG 2u

/* A segment, page-aligned. The pages from `file_end` on are zero and need no pager. */
struct region {
  u64 address, file_end, memory_end, protection;
};
/* `count` pages from `page` on (counted from store.first_page), after `before` others in their group. */
struct run {
  u32 page, count, group, before;
};
/* The group of zero pages, which are nowhere. */
#define NO_GROUP (~0u)
/*
 * A frame of `size` bytes with the pages of all runs of this group: zstd's, where code is filtered, or one of LZ4 (paged/lz4.ts). If
 * one of them is touched, those in the same `step` pages of memory get there with it.
 */
struct group {
  u32 offset, size, pages, step;
};
/*
 * The steps of groups that get into memory as a whole; the pages of a plain one are not compressed, and are mapped from the file. A
 * following one is likely to be needed later than the group before it, and gets there when nothing else is asked for.
 */
#define WHOLE_GROUP (~0u)
#define PLAIN_GROUP (~0u - 1)
#define FOLLOWING_GROUP (~0u - 2)
/* Offsets count from the beginning of the store. Runs are in the order of their addresses. */
struct store {
  char magic[8];
  u32 size, flags, first_page, most_pages;
  u32 region_count, group_count, run_count;
  u32 groups, runs, padding;
  struct region regions[MOST_REGIONS];
  u8 rest[];
};
/* An Elf64_Phdr of our file. */
struct segment {
  u32 type, flags;
  u64 offset, address, physical, file_size, memory_size, align;
};
extern const struct store store __attribute__((visibility("hidden")));

#define GROUPS ((const struct group *)((const u8 *)&store + store.groups))
#define RUNS ((const struct run *)((const u8 *)&store + store.runs))

/* Returns null, or what is wrong with the tables of the store. After it, every offset, page and size in them can be used. */
const char *check_store(void);
static inline u64 address_of(u32 page) { return (store.first_page + (u64)page) * PAGE; }
/* The region with a page of the store. */
const struct region *region_of(u64 address);
/* Returns the run with a page of the store. Pages that no region has are in none: null. */
const struct run *find_run(u32 page);

/* --- page.c --- */

/* Says why the program cannot start, and ends it. */
void give_up(const char *why);

/* --- unpack.c --- */

#define DAMAGED "a compressed part of the runtime is damaged (checksum)"

struct unpacker {
  void *context;
  /* Room for the largest group. */
  u8 *buffer;
  u64 tls[8];
};
/* Returns null, or what failed. The unpacker must stay where it is. */
const char *prepare_unpacker(struct unpacker *to, const struct vector *vector);
/* Returns the pages of a group, unpacked into the buffer if need be; null if it is damaged. */
const u8 *unpack_group(const struct unpacker *unpacker, u32 index);
void release_unpacker(struct unpacker *unpacker);

/* --- decode.c --- */

/* Decodes the code of a group that was unpacked to `bytes`. */
void decode_group(u32 index, u8 *bytes);

/* --- load-all.c --- */

/* Unpacks all of the program at once. Returns null, or what failed. */
const char *load_everything(const struct vector *vector);

/* --- serve.c --- */

/* The pager: serves the faults of `uffd` until `life` ends. */
void serve_faults(int uffd, int life, const struct vector *vector, struct incident *incident);

/* --- record.c --- */

/* Returns room for a bit per page, and the descriptor of the kernel log; null if there is none. */
u8 *open_record(int *log);
/* Writes the touched pages, and forgets them. */
void write_record(int log, u8 *touched);

/* --- watch.c --- */

/* The watcher: starts the pager, and ends the program if the pager fails. */
void watch_pager(int uffd, int life, const struct vector *vector, struct incident *incident, int is_boot);

/* --- system calls of the pager --- */

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_FIXED 16
#define MAP_ANONYMOUS 32
#define MAP_NORESERVE 0x4000
#define EAGAIN 11
#define EEXIST 17
#define ENOMEM 12
#define ENOSYS 38
#define ESRCH 3
#define CLONE_FILES 0x400
#define POLLIN 1

/* include/uapi/linux/userfaultfd.h */
#define UFFD_API 0xaaul
#define UFFD_FEATURE_EVENT_FORK (1ul << 1)
#define UFFD_FEATURE_THREAD_ID (1ul << 8)
#define UFFDIO_API 0xc018aa3ful
#define UFFDIO_REGISTER 0xc020aa00ul
#define UFFDIO_REGISTER_MODE_MISSING 1ul
#define UFFDIO_UNREGISTER 0x8010aa01ul
#define UFFDIO_WAKE 0x8010aa02ul
#define UFFDIO_COPY 0xc028aa03ul
#define UFFD_EVENT_PAGEFAULT 0x12
#define UFFD_EVENT_FORK 0x13
struct uffd_message {
  u8 event, unused[7];
  union {
    struct {
      u64 flags, address;
      u32 thread;
    } fault;
    struct {
      u32 fd;
    } fork;
    u64 words[3];
  };
};

static inline int is_error(long result) { return result < 0 && result > -4096; }
static inline long map_memory(u64 address, u64 size, u64 protection, int flags, long fd, u64 offset)
{
  return call6(SYS_mmap, (long)address, (long)size, (long)protection, flags, fd, (long)offset);
}
/* Returns new zeroed memory, or an error. */
static inline long make_room(u64 size)
{
  return map_memory(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
/* poll(2); waits for at most so many milliseconds, or, if less than 0, without a limit. */
static inline long wait_for_events(void *polls, u64 count, long limit)
{
  long time[2] = {limit / 1000, limit % 1000 * 1000000};
  return call5(SYS_ppoll, polls, count, limit < 0 ? 0 : time, 0, 0);
}
static inline long kill_process(long pid, int signal) { return call2(SYS_kill, pid, signal); }
/* Wakes everything that waits for a page of the program: it touches the page again. */
static inline void wake_all(int uffd)
{
  const struct region *last = &store.regions[store.region_count - 1];
  u64 range[2] = {store.regions[0].address, last->file_end - store.regions[0].address};
  control(uffd, UFFDIO_WAKE, range);
}
