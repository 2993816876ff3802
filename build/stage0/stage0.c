/*
 * Runs before the runtime: the packer (pack.ts) puts this in front of a dynamically linked program, so that the kernel can start it
 * in an empty initramfs. As the first process of the machine it stays, supervises the program as its child, and finally becomes the
 * real init. Otherwise it becomes the program at once.
 */
#include "stage0.h"

ENTRY_CODE;

struct jump start(u64 *words);

static void check_desk(const struct vector *vector)
{
  char name[64];
  const char *lack = missing_cpu_feature();
  if (lack) {
    complain("this CPU is too old: it has no ", lack, " (needed: " CPU_NEEDED ")");
    leave(126);
  }
  u64 page = page_kib(vector);
  if (page > MOST_PAGE_KIB) {
    complain(LARGE_PAGES, number_text((long)page), " KiB");
    complain(LARGE_PAGES_HINT);
    leave(126);
  }
  if (read_link("/proc/self", name, sizeof name) < 0) {
    complain("/proc is needed: mount -t proc proc /proc");
    leave(126);
  }
}

struct jump start(u64 *words)
{
  struct vector vector = read_vector(words);
  struct incident *incident = 0;
  int is_boot = is_first_process();
  if (is_boot) incident = supervise(&vector);
  else {
    if (is_worker(&vector)) serve_orders();
    check_desk(&vector);
  }
  vector = make_vector(&vector, is_boot);
  return load_program(&vector, incident, is_boot);
}
