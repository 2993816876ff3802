#include "entries.h"

const struct entry *next_entry(struct listing *listing)
{
  if (listing->at >= listing->size) {
    listing->at = 0;
    listing->size = read_entries(listing->directory, listing->buffer, sizeof listing->buffer);
    if (listing->size <= 0) return 0;
  }
  const struct entry *entry = (const void *)(listing->buffer + listing->at);
  listing->at += entry->length;
  return entry;
}
