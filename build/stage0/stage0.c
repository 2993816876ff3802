/*
 * Runs before the runtime: the packer (pack.ts) puts this in front of a dynamically linked program, so that the kernel can start it
 * in an empty initramfs. As the first process of the machine it stays, supervises the program as its child, and finally becomes the
 * real init. Otherwise it becomes the program at once.
 */
#include "stage0.h"

ENTRY_CODE;

struct jump start(u64 *words);

static void check_desk(void)
{
  char name[64];
  const char *lack = missing_cpu_feature();
  if (lack) {
    complain("this CPU is too old: it has no ", lack, " (needed: " CPU_NEEDED ")");
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
  if (is_first_process()) {
    supervise(vector.envp);
    vector = make_vector(&vector, 1);
  } else {
    if (is_worker(&vector)) serve_orders();
    check_desk();
    vector = make_vector(&vector, 0);
  }
  return load_program(&vector);
}
