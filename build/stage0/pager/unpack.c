#include "pager.h"

/* libzstd (zstd.h, with the part for static linking); no function of it that allocates memory is used. */
extern u64 ZSTD_estimateDCtxSize(void);
extern void *ZSTD_initStaticDCtx(void *room, u64 size);
extern u64 ZSTD_decompressDCtx(void *context, void *to, u64 room, const void *from, u64 size);

extern u64 ZSTD_XXH64(const void *bytes, u64 size, u64 seed);
/* liblz4 (lz4.h). */
extern int LZ4_decompress_safe(const char *from, char *to, int size, int room);

#define ZSTD_MAGICNUMBER 0xfd2fb528u
/* As in build/stage0/paged/lz4.ts. */
#define LZ4_MAGIC "levLZ4b\n"
struct lz4_frame {
  char magic[8];
  u64 checksum;
  char block[];
};

#if defined(__x86_64__)
#define SYS_arch_prctl 158
#define ARCH_SET_FS 0x1002
#define AT_RANDOM 25
/* Debian compiles libzstd with -fstack-protector: x86-64 keeps the canary at %fs:40 (struct tcbhead_t of glibc). */
#define CANARY 5

static void set_thread_pointer(u64 value) { call2(SYS_arch_prctl, ARCH_SET_FS, value); }

static u64 read_random(const struct vector *vector)
{
  const u64 *pair = vector->auxv;
  while (pair[0] && pair[0] != AT_RANDOM) pair += 2;
  /* The kernel's 16 random bytes begin with those of libc's canary: take the others. */
  return pair[0] ? ((const u64 *)pair[1])[1] : 0;
}

static void set_canary(u64 *tls, const struct vector *vector)
{
  for (int i = 0; i < 8; i++) tls[i] = 0;
  tls[CANARY] = read_random(vector);
  set_thread_pointer((u64)tls);
}

static void forget_canary(void) { set_thread_pointer(0); }
#else
/* On AArch64 the canary is a variable of libc's. Here it is no secret, as nothing of stage0 can be written: it is to find faults. */
const u64 __stack_chk_guard = 0xff0a0d00d6a7c59eul;

static void set_canary(u64 *tls, const struct vector *vector) { (void)tls, (void)vector; }
static void forget_canary(void) {}
#endif

const char *prepare_unpacker(struct unpacker *to, const struct vector *vector)
{
  set_canary(to->tls, vector);
  u64 size = ZSTD_estimateDCtxSize();
  long context = make_room(size), buffer = make_room(store.most_pages * PAGE);
  if (is_error(context) || is_error(buffer)) return "not enough memory to unpack the runtime";
  to->buffer = (u8 *)buffer;
  to->context = ZSTD_initStaticDCtx((void *)context, size);
  return to->context ? 0 : "could not prepare the decompressor";
}

/* Returns whether the frame was right. */
static int unpack_zstd(const struct unpacker *unpacker, const u8 *from, u64 length, u64 size)
{
  u32 magic = from[0] | (u32)from[1] << 8 | (u32)from[2] << 16 | (u32)from[3] << 24;
  /* Other numbers are of old formats, whose decoders are not linked. The frame's checksum is checked in there. */
  return magic == ZSTD_MAGICNUMBER && ZSTD_decompressDCtx(unpacker->context, unpacker->buffer, size, from, length) == size;
}

static int unpack_lz4(const struct group *group, u8 *to)
{
  const struct lz4_frame *frame = (const void *)((const u8 *)&store + group->offset);
  u64 checksum, block = group->size - sizeof *frame, size = group->pages * PAGE;
  __builtin_memcpy(&checksum, &frame->checksum, sizeof checksum);
  return ZSTD_XXH64(frame->block, block, 0) == checksum &&
         LZ4_decompress_safe(frame->block, (char *)to, (int)block, (int)size) == (int)size;
}

/* check_store has made sure that a group is longer than the head of a frame. */
static int is_lz4(const struct group *group)
{
  const char *from = (const char *)&store + group->offset;
  for (int i = 0; i < 8; i++)
    if (from[i] != LZ4_MAGIC[i]) return 0;
  return 1;
}

const u8 *unpack_group(const struct unpacker *unpacker, u32 index)
{
  const struct group *group = &GROUPS[index];
  u64 size = group->pages * PAGE;
  const u8 *from = (const u8 *)&store + group->offset;
  if (group->step == PLAIN_GROUP) return from;
  if (is_lz4(group)) return unpack_lz4(group, unpacker->buffer) ? unpacker->buffer : 0;
  if (!unpack_zstd(unpacker, from, group->size, size)) return 0;
  decode_group(index, unpacker->buffer);
  return unpacker->buffer;
}

void release_unpacker(struct unpacker *unpacker)
{
  call2(SYS_munmap, unpacker->context, ZSTD_estimateDCtxSize());
  call2(SYS_munmap, unpacker->buffer, store.most_pages * PAGE);
  forget_canary();
}

/* Returns the run of pages that begins with a page, if it is a group of LZ4 of its own or zero; else null. */
static const struct run *find_whole_run(u32 page)
{
  const struct run *run = find_run(page);
  if (!run || run->page != page) return 0;
  if (run->group == NO_GROUP) return run;
  const struct group *group = &GROUPS[run->group];
  return group->step == WHOLE_GROUP && group->pages == run->count && is_lz4(group) ? run : 0;
}

static const char *unpack_runs(u32 first, u64 count, u8 *to)
{
  for (u32 page = first; page < first + count;) {
    const struct run *run = find_whole_run(page);
    if (run->group != NO_GROUP && !unpack_lz4(&GROUPS[run->group], to + (u64)(page - first) * PAGE)) return DAMAGED;
    page += run->count;
  }
  return 0;
}

int unpack_library(const struct vector *vector, const struct library *library, int file)
{
  u64 address = (u64)library->bytes, count = (library->size + PAGE - 1) / PAGE;
  u32 first = (u32)(address / PAGE - store.first_page), page = first;
  if (address % PAGE) return 0;
  while (page < first + count) {
    const struct run *run = find_whole_run(page);
    if (!run) return 0;
    page += run->count;
  }
  if (page != first + count || call2(SYS_ftruncate, file, count * PAGE) < 0) return 0;
  long room = map_memory(0, count * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (is_error(room)) return 0;
  u64 tls[8];
  set_canary(tls, vector);
  const char *fault = unpack_runs(first, count, (u8 *)room);
  forget_canary();
  if (fault) give_up(fault);
  call2(SYS_munmap, room, count * PAGE);
  return 1;
}
