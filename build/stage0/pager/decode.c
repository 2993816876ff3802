/* The inverse of build/stage0/paged/filter.ts: in calls and jumps, the place that they lead to becomes the distance again. */
#include "pager.h"

#if defined(__x86_64__)
/* Whether one of eight bytes is E8 or E9: nine of ten times none is, and looking at each takes as long as the decompression. */
static int has_code(const u8 *bytes)
{
  u64 word, ones = 0x0101010101010101;
  __builtin_memcpy(&word, bytes, sizeof word);
  word = (word & 0xfe * ones) ^ 0xe8 * ones;
  return ((word - ones) & ~word & 0x80 * ones) != 0;
}

/* `here` is where the bytes are in the program, and `size` where its code ends. */
static void decode_code(u8 *bytes, u64 count, long here, long size)
{
  for (u64 i = 0; i + 5 <= count; i++) {
    while (i + 13 <= count && !has_code(bytes + i)) i += 8;
    if ((bytes[i] & 0xfe) != 0xe8) continue;
    u8 *at = bytes + i + 1;
    long next = here + (long)i + 5, value = (int)((u32)at[0] << 24 | (u32)at[1] << 16 | (u32)at[2] << 8 | at[3]);
    if (value >= -next && value < size) value = value >= 0 ? value - next : value + size;
    for (int k = 0; k < 4; k++) at[k] = (u8)(value >> k * 8);
    i += 4;
  }
}
#else
#define BL 0x94000000u
#define BL_MASK 0xfc000000u

/* Of BL, the call of AArch64, only the distance was changed: 26 bits that count instructions. */
static void decode_code(u8 *bytes, u64 count, long here, long size)
{
  (void)size;
  u32 *words = (u32 *)bytes;
  for (u64 i = 0; i < count / 4; i++)
    if ((words[i] & BL_MASK) == BL) words[i] = BL | ((words[i] - (u32)(here / 4) - (u32)i) & ~BL_MASK);
}
#endif

void decode_group(u32 index, u8 *bytes)
{
  u64 low = address_of(0), size = 0;
  for (u32 i = 0; i < store.region_count; i++)
    if (store.regions[i].protection & PROT_EXEC) size = store.regions[i].memory_end - low;
  for (const struct run *run = RUNS; run < RUNS + store.run_count; run++) {
    u64 address = address_of(run->page);
    if (run->group == index && region_of(address)->protection & PROT_EXEC)
      decode_code(bytes + run->before * PAGE, run->count * PAGE, (long)(address - low), (long)size);
  }
}
