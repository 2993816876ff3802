/* Unmounts everything that the processes of this system see. */
#include "exit.h"

#define TABLE "/proc/self/mountinfo"
#define MOST_BYTES (1 << 18)
#define MOST_MOUNTS 2048
#define SYSRQ "/proc/sysrq-trigger"

/* A line of the table: proc(5). */
struct place {
  const char *target;
  const char *type;
  const char *source;
  /* Of the filesystem; "ro" or "rw" comes first. */
  const char *options;
};

static char text[MOST_BYTES];
static struct place places[MOST_MOUNTS];

static char *skip_words(char *at, int count)
{
  while (count--) at = take_word(at);
  return at;
}

static struct place read_line(char *line)
{
  struct place place = {.target = skip_words(line, 4)};
  char *at = take_word((char *)place.target), *word = at;
  /* Optional fields end with "-"; the type follows. */
  while (*word) {
    at = take_word(word);
    int is_end = is_same(word, "-");
    word = at;
    if (is_end) break;
  }
  place.type = word;
  place.source = take_word(word);
  place.options = take_word((char *)place.source);
  take_word((char *)place.options);
  return place;
}

static int read_places(void)
{
  int count = 0;
  if (read_text_file(TABLE, text, sizeof text) <= 0) return 0;
  for (char *line = text, *next; *line && count < MOST_MOUNTS; line = next) {
    for (next = line; *next && *next != '\n'; next++);
    if (*next) *next++ = 0;
    places[count++] = read_line(line);
  }
  return count;
}

static int is_below(const char *path, const char *directory)
{
  u64 length = length_of(directory);
  return begins_with(path, directory) && (path[length] == '/' || !path[length]);
}

/* What is needed to the end, and holds nothing. */
static int is_needed(const char *target)
{
  return is_same(target, "/") || is_same(target, "/run") || is_below(target, "/proc") || is_below(target, "/sys") ||
         is_below(target, "/dev");
}

/* The old root is still the root if no init has changed that. */
static int is_root_in_memory(const struct place *place)
{
  return is_same(place->type, "tmpfs") || is_same(place->type, "ramfs") || is_same(place->type, "rootfs");
}

static int is_on_disk(const struct place *place) { return begins_with(place->source, "/dev/"); }

int unmount_once(void)
{
  int left = 0;
  for (int i = read_places() - 1; i >= 0; i--) {
    if (is_same(places[i].target, "/")) left += !is_root_in_memory(&places[i]);
    else if (!is_needed(places[i].target)) left += unmount(places[i].target, UMOUNT_NOFOLLOW) < 0;
  }
  return left;
}

static int is_any_writable(void)
{
  for (int i = read_places() - 1; i >= 0; i--)
    if (is_on_disk(&places[i]) && begins_with(places[i].options, "rw")) return 1;
  return 0;
}

void make_read_only(void)
{
  for (int i = read_places() - 1; i >= 0; i--)
    if (!is_needed(places[i].target) || is_same(places[i].target, "/"))
      mount(0, places[i].target, 0, MS_REMOUNT | MS_RDONLY, 0);
  /*
   * Documentation/admin-guide/sysrq.rst: by force, also where a loop device still has a file open, and what no path leads to. The
   * kernel does it in the background.
   */
  write_text_file(SYSRQ, "u", 1);
  for (int turn = 0; turn < 50; turn++) {
    sleep_for(0, 100000000);
    if (!is_any_writable()) return;
  }
  for (int i = read_places() - 1; i >= 0; i--)
    if (is_on_disk(&places[i]) && begins_with(places[i].options, "rw"))
      say("could not make ", places[i].source, " read-only: it is not clean");
}
