/* What libzstd wants of a C library; text.c has the rest. */
#include "pager.h"

void *memmove(void *to, const void *from, u64 size);
void *malloc(u64 size);
void *calloc(u64 count, u64 size);
void free(void *memory);
void __stack_chk_fail(void);

void *memmove(void *to, const void *from, u64 size)
{
  u8 *t = to;
  const u8 *f = from;
  if (t <= f)
    for (u64 i = 0; i < size; i++) t[i] = f[i];
  else
    while (size--) t[size] = f[size];
  return to;
}

/* For functions that are linked and never called: the decompressor has a static context. */
void *malloc(u64 size)
{
  (void)size;
  return 0;
}
void *calloc(u64 count, u64 size)
{
  (void)count, (void)size;
  return 0;
}
void free(void *memory) { (void)memory; }

void __stack_chk_fail(void)
{
  complain("the decompressor wrote past its stack: the runtime's pages are damaged");
  leave(127);
}
