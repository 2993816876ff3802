/* The record of the pages that a boot touches: bench/hot-pages.ts makes the list of hot pages of it. */
#include "pager.h"

#define PAGES_PER_LINE 1024
/* Gets to the console also beside a prompt, where other messages do not. */
#define PREFIX "<0>levain: pages "

static u32 page_count(void)
{
  const struct region *last = &store.regions[store.region_count - 1];
  return (u32)(last->file_end / PAGE - store.first_page);
}

u8 *open_record(int *log)
{
  long room = make_room(page_count() / 8 + PAGES_PER_LINE);
  /* Opened now: /dev moves before the record is complete. */
  *log = (int)open_file("/dev/kmsg", O_WRONLY | O_CLOEXEC);
  return is_error(room) || *log < 0 ? 0 : (u8 *)room;
}

void write_record(int log, u8 *touched)
{
  static const char DIGITS[] = "0123456789abcdef";
  char line[sizeof PREFIX + 24 + PAGES_PER_LINE / 4];
  for (u32 page = 0; page < page_count(); page += PAGES_PER_LINE) {
    u32 any = 0;
    copy_text(line, PREFIX);
    decimal(page, line + length_of(line));
    char *to = line + length_of(line);
    *to++ = ' ';
    for (u32 i = 0; i < PAGES_PER_LINE / 8; i++) {
      u8 byte = touched[page / 8 + i];
      touched[page / 8 + i] = 0;
      any |= byte;
      *to++ = DIGITS[byte >> 4];
      *to++ = DIGITS[byte & 15];
    }
    *to++ = '\n';
    if (any) write_bytes(log, line, (u64)(to - line));
  }
}
