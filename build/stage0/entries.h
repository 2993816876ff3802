/* entries.c: the entries of a directory. */
#pragma once
#include "system.h"

/* linux_dirent64 of getdents64(2). */
struct entry {
  u64 inode;
  u64 offset;
  unsigned short length;
  u8 type;
  char name[];
};
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
/* Only the descriptor is given. */
struct listing {
  long directory, size, at;
  char buffer[4096] __attribute__((aligned(8)));
};
/* Returns the next entry, valid until the next call; null at the end, and if the kernel refuses. */
const struct entry *next_entry(struct listing *listing);
