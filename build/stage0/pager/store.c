#include "pager.h"

static int fits(u64 offset, u64 count, u64 size)
{
  return offset % 4 == 0 && offset >= sizeof store && offset + count * size <= store.size;
}

static int is_protection(u64 protection)
{
  return protection == PROT_READ || protection == (PROT_READ | PROT_WRITE) || protection == (PROT_READ | PROT_EXEC);
}

/* The regions are in order, below stage0 and far enough above 0. */
static int are_regions_right(void)
{
  extern const u8 __executable_start[];
  u64 end = (u64)store.first_page * PAGE;
  if (store.region_count < 1 || store.region_count > MOST_REGIONS || end != store.regions[0].address || end < 0x10000) return 0;
  for (u32 i = 0; i < store.region_count; i++) {
    const struct region *r = &store.regions[i];
    if ((r->address | r->file_end | r->memory_end) % PAGE || !is_protection(r->protection)) return 0;
    if (r->address < end || r->file_end <= r->address || r->memory_end < r->file_end) return 0;
    end = r->memory_end;
  }
  return end <= (u64)__executable_start && end < 1ul << 31;
}

/* Every group has runs, and all runs are in a group. */
static int are_groups_right(void)
{
  u64 next = 0;
  for (u32 i = 0; i < store.group_count; i++) {
    const struct group *group = &GROUPS[i];
    u64 pages = 0;
    if (group->first_run != next || !group->run_count || next + group->run_count > store.run_count) return 0;
    for (u32 k = 0; k < group->run_count; k++) pages += RUNS[next + k].count;
    if (pages * PAGE > store.largest_group || (u64)group->offset + group->size > store.size || group->size < 16) return 0;
    next += group->run_count;
  }
  return next == store.run_count && store.largest_group <= 16ul << 20;
}

static int is_mapping_right(const struct mapped *m)
{
  return m->offset % PAGE == 0 && m->offset + m->count * PAGE <= store.size;
}

/* Every page of a region is in exactly one run or mapped once. */
static int are_pages_right(void)
{
  u32 run = 0, mapped = 0;
  for (u32 i = 0; i < store.region_count; i++) {
    u64 at = store.regions[i].address;
    while (at < store.regions[i].file_end) {
      u64 count = 0;
      if (run < store.run_count && address_of(RUNS[run].page) == at) count = RUNS[run++].count;
      else if (mapped < store.mapped_count && address_of(MAPPED[mapped].page) == at) {
        if (!is_mapping_right(&MAPPED[mapped])) return 0;
        count = MAPPED[mapped++].count;
      }
      if (!count || count > (store.regions[i].file_end - at) / PAGE) return 0;
      at += count * PAGE;
    }
  }
  return run == store.run_count && mapped == store.mapped_count;
}

const char *check_store(void)
{
  for (int i = 0; i < 8; i++)
    if (store.magic[i] != STORE_MAGIC[i]) return "the runtime's tables are damaged: no magic number";
  int has_room = fits(store.groups, store.group_count, sizeof(struct group)) &&
                 fits(store.runs, store.run_count, sizeof(struct run)) &&
                 fits(store.mapped, store.mapped_count, sizeof(struct mapped)) && store.file_offset % PAGE == 0;
  if (!has_room) return "the runtime's tables are damaged: a table is outside the store";
  if (!are_regions_right()) return "the runtime's tables are damaged: a segment is invalid";
  if (!are_groups_right()) return "the runtime's tables are damaged: a group is invalid";
  if (!are_pages_right()) return "the runtime's tables are damaged: a page is missing or twice there";
  return 0;
}

const struct region *region_of(u64 address)
{
  for (u32 i = 0; i < store.region_count; i++)
    if (address >= store.regions[i].address && address < store.regions[i].file_end) return &store.regions[i];
  return &store.regions[0];
}

/* The run with the page, or ~0. */
static u32 find_run(u32 page)
{
  u32 low = 0, high = store.run_count;
  while (low < high) {
    u32 middle = (low + high) / 2;
    if (RUNS[middle].page <= page) low = middle + 1;
    else high = middle;
  }
  return low && page - RUNS[low - 1].page < RUNS[low - 1].count ? low - 1 : ~0u;
}

u32 find_group(u32 page)
{
  u32 run = find_run(page), low = 0, high = store.group_count;
  if (run == ~0u) return run;
  while (low < high) {
    u32 middle = (low + high) / 2;
    if (GROUPS[middle].first_run <= run) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
