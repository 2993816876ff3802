/* What the parts of the pager share. */
#pragma once

#include "pager.h"

struct poll {
  int fd;
  short events, revents;
};

/* A memory is the program's, or that of a process it forked. polls[0] is the program's life, the others are memories. */
struct pager {
  struct unpacker unpacker;
  struct incident *incident;
  struct poll *polls;
  u32 count, room;
  /* With STORE_LOG: a bit for each touched page. */
  u8 *touched;
  int log;
  u32 cached_group;
  /* Its pages. */
  const u8 *pages;
  /* A following group whose time has come, for this memory; or NO_GROUP. */
  u32 next_group;
  int next_memory;
};

/* --- copy.c --- */

/* Leaves what happened for process 1, and ends the pager. */
void fail(const struct pager *pager, const char *what, const char *detail);
void run_out(const struct pager *pager, const char *what);

enum copied { COPIED, LATER, GONE };
/*
 * Copies pages into a memory. A page that is there already is left alone. LATER: the memory is being forked; the copy must be tried
 * again when the pager has read that event.
 */
enum copied copy_pages(const struct pager *pager, int uffd, u64 to, const u8 *from, u64 size);
