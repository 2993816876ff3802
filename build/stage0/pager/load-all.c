#include "pager.h"

#define DAMAGED "a compressed part of the runtime is damaged (checksum)"

static const char *map_run(const struct mapped *mapped, long fd)
{
  u64 address = address_of(mapped->page);
  int flags = MAP_PRIVATE | MAP_FIXED | (mapped->offset ? 0 : MAP_ANONYMOUS | MAP_NORESERVE);
  long from = mapped->offset ? fd : -1;
  u64 offset = mapped->offset ? store.file_offset + mapped->offset : 0;
  long got = map_memory(address, mapped->count * PAGE, region_of(address)->protection, flags, from, offset);
  return is_error(got) ? "could not map a part of the runtime from its file" : 0;
}

const char *map_hot_pages(void)
{
  const char *fault = 0;
  long fd = open_file("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "could not open /proc/self/exe";
  for (u32 i = 0; i < store.mapped_count && !fault; i++) fault = map_run(&MAPPED[i], fd);
  close_file(fd);
  return fault;
}

static const char *unpack_all(struct unpacker *unpacker)
{
  for (u32 i = 0; i < store.group_count; i++) {
    const struct group *group = &GROUPS[i];
    const struct run *run = &RUNS[group->first_run];
    int is_whole = group->run_count == 1;
    u8 *from = is_whole ? (u8 *)address_of(run->page) : unpacker->buffer;
    if (!unpack_group(unpacker, group, from)) return DAMAGED;
    for (u32 k = 0; k < group->run_count && !is_whole; from += run[k++].count * PAGE)
      __builtin_memcpy((void *)address_of(run[k].page), from, run[k].count * PAGE);
  }
  return 0;
}

const char *load_everything(const struct vector *vector)
{
  struct unpacker unpacker;
  for (u32 i = 0; i < store.region_count; i++) {
    const struct region *r = &store.regions[i];
    long got = map_memory(r->address, r->memory_end - r->address, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (is_error(got)) return "not enough memory for the runtime";
  }
  const char *fault = prepare_unpacker(&unpacker, vector);
  if (!fault) fault = unpack_all(&unpacker);
  if (fault) return fault;
  release_unpacker(&unpacker);
  for (u32 i = 0; i < store.region_count; i++) {
    const struct region *r = &store.regions[i];
    if (call3(SYS_mprotect, r->address, r->memory_end - r->address, r->protection) < 0)
      return "could not protect the runtime's memory";
  }
  return map_hot_pages();
}
