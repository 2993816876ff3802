/* From the pager into the memory of the program, or of a fork. */
#include "serve.h"

void fail(const struct pager *pager, const char *what, const char *detail)
{
  char *to = pager->incident->words;
  copy_text(to, what);
  copy_text(to + length_of(to), detail);
  leave(1);
}

void run_out(const struct pager *pager, const char *what)
{
  pager->incident->lacks_memory = 1;
  fail(pager, what, "");
}

enum copied copy_pages(const struct pager *pager, int uffd, u64 to, const u8 *from, u64 size)
{
  u64 step = size;
  while (size) {
    struct { u64 to, from, size, mode; long copied; } request = {to, (u64)from, step < size ? step : size, 0, 0};
    long error = control(uffd, UFFDIO_COPY, &request);
    u64 done = request.copied > 0 ? (u64)request.copied : 0;
    if (error == 0) done = request.size;
    else if (done == 0) {
      if (error == -EAGAIN) return LATER;
      if (error == -ESRCH) return GONE;
      if (error == -ENOMEM) run_out(pager, "the machine ran out of memory for the runtime's pages");
      if (error != -EEXIST && error != -ENOENT)
        fail(pager, "the kernel refused a page of the runtime: ", describe_error(error));
      /* ENOENT: several mappings, as mprotect(2) makes them, or none any more. Page by page finds out. */
      if (error == -ENOENT && step > PAGE) {
        step = PAGE;
        continue;
      }
      u64 range[2] = {to, PAGE};
      control(uffd, UFFDIO_WAKE, range);
      done = PAGE;
    }
    to += done, from += done, size -= done;
  }
  return COPIED;
}
