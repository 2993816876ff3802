#include "pager.h"

static const char *unpack_all(const struct unpacker *unpacker)
{
  for (u32 i = 0; i < store.group_count; i++) {
    const u8 *pages = unpack_group(unpacker, i);
    if (!pages) return DAMAGED;
    for (const struct run *run = RUNS; run < RUNS + store.run_count; run++)
      if (run->group == i)
        __builtin_memcpy((void *)address_of(run->page), pages + run->before * PAGE, run->count * PAGE);
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
  return 0;
}
