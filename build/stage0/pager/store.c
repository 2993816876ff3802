#include "pager.h"

/* 16 MiB: more than the packer puts into a group. */
#define MOST_PAGES 4096

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

static int are_groups_right(void)
{
  if (store.most_pages > MOST_PAGES) return 0;
  for (u32 i = 0; i < store.group_count; i++) {
    const struct group *group = &GROUPS[i];
    if (!group->step || !group->pages || group->pages > store.most_pages) return 0;
    if ((u64)group->offset + group->size > store.size || group->size < 16) return 0;
    /* No frame is longer than its pages by more than its head; LZ4 counts in int. */
    if (group->size > (group->pages + 1ul) * PAGE) return 0;
    if (group->step == PLAIN_GROUP && (group->size != group->pages * PAGE || group->offset % PAGE)) return 0;
  }
  return 1;
}

/* The pages of a run are in its group, or in none. */
static int is_run_right(const struct run *run)
{
  if (run->group == NO_GROUP) return 1;
  return run->group < store.group_count && (u64)run->before + run->count <= GROUPS[run->group].pages;
}

/* Every page of a region is in exactly one run. */
static int are_runs_right(void)
{
  u32 next = 0;
  for (u32 i = 0; i < store.region_count; i++) {
    u64 at = store.regions[i].address, end = store.regions[i].file_end;
    while (at < end) {
      if (next == store.run_count) return 0;
      const struct run *run = &RUNS[next++];
      if (address_of(run->page) != at || !run->count || run->count > (end - at) / PAGE || !is_run_right(run)) return 0;
      at += run->count * PAGE;
    }
  }
  return next == store.run_count;
}

const char *check_store(void)
{
  for (int i = 0; i < 8; i++)
    if (store.magic[i] != STORE_MAGIC[i]) return "the runtime's tables are damaged: no magic number";
  if (!fits(store.groups, store.group_count, sizeof(struct group)) || !fits(store.runs, store.run_count, sizeof(struct run)))
    return "the runtime's tables are damaged: a table is outside the store";
  if (!are_regions_right()) return "the runtime's tables are damaged: a segment is invalid";
  if (!are_groups_right()) return "the runtime's tables are damaged: a group is invalid";
  if (!are_runs_right()) return "the runtime's tables are damaged: a page is missing or twice there";
  return 0;
}

const struct region *region_of(u64 address)
{
  for (u32 i = 0; i < store.region_count; i++)
    if (address >= store.regions[i].address && address < store.regions[i].file_end) return &store.regions[i];
  return &store.regions[0];
}

const struct run *find_run(u32 page)
{
  u32 low = 0, high = store.run_count;
  while (low < high) {
    u32 middle = (low + high) / 2;
    if (RUNS[middle].page <= page) low = middle + 1;
    else high = middle;
  }
  return low && page - RUNS[low - 1].page < RUNS[low - 1].count ? &RUNS[low - 1] : 0;
}
