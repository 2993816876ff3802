/* Where stage0's shell is if there are several consoles, and its move to another one. */
#include "stage0.h"

#define ACTIVE "/sys/class/tty/console/active"
#define MOST_OTHERS 8
/* Turns of 200 ms in which a second Enter counts: a serial line without a cable may send anything at any time. */
#define CONFIRM_TURNS 50

struct other {
  long fd;
  const char *name;
};

struct consoles {
  char names[256];
  /* Where the shell is. */
  const char *current;
  struct other others[MOST_OTHERS];
  int count;
};

static void add_other(struct consoles *all, const char *name)
{
  if (all->count == MOST_OTHERS || is_same(name, all->current)) return;
  for (int i = 0; i < all->count; i++)
    if (is_same(name, all->others[i].name)) return;
  long fd = open_file_in(DEV_FD, name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) all->others[all->count++] = (struct other){fd, name};
}

/* The kernel's consoles, the last of which is behind /dev/console, and the screen. */
static void find_consoles(struct consoles *all, const char *place)
{
  all->count = 0;
  all->current = *place ? place : SCREEN;
  if (read_text_file(ACTIVE, all->names, sizeof all->names) <= 0) return;
  const char *words[MOST_OTHERS];
  int count = 0;
  for (char *at = all->names; *at && *at != '\n' && count < MOST_OTHERS;) {
    words[count++] = at;
    while (*at && *at != ' ' && *at != '\n') at++;
    int is_last = *at != ' ';
    *at = 0;
    if (is_last) break;
    at++;
  }
  if (count && !*place) all->current = words[count - 1];
  for (int i = 0; i < count; i++) add_other(all, words[i]);
  if (count) add_other(all, SCREEN);
}

/* Returns how often Enter was pressed, or less than 0 if anything else was typed. Some terminals send both characters for it. */
static int read_enters(long fd)
{
  char typed[256];
  int returns = 0, feeds = 0;
  long size = read_bytes(fd, typed, sizeof typed);
  for (long i = 0; i < size; i++) {
    if (typed[i] == '\r') returns++;
    else if (typed[i] == '\n') feeds++;
    else return -1;
  }
  return returns > feeds ? returns : feeds;
}

/* Returns the console to which a person moves the shell, or null when the shell has ended. */
static const char *watch(struct consoles *all, long pid)
{
  int status;
  const char *first = 0;
  for (int turn = 0, first_turn = 0;; turn++) {
    long got = wait_for_any(&status, WNOHANG);
    if (got == pid || (got < 0 && got != -EINTR)) return 0;
    for (int i = 0; i < all->count; i++) {
      const char *name = all->others[i].name;
      int enters = read_enters(all->others[i].fd);
      if (!enters) continue;
      if (enters > 1 || (enters > 0 && first == name && turn - first_turn < CONFIRM_TURNS)) return name;
      first = enters > 0 ? name : 0;
      first_turn = turn;
      if (first) say("the shell is on ", all->current, ": press Enter on ", name, " again to end it there and start one here");
    }
    if (!got) sleep_for(0, 200000000);
  }
}

void say_place(const char *place)
{
  struct consoles all;
  find_consoles(&all, place);
  if (all.count) say("the shell is on ", all.current, "; press Enter twice on another console to move it there");
  for (int i = 0; i < all.count; i++) close_file(all.others[i].fd);
}

int wait_for_shell(long pid, char *place)
{
  struct consoles all;
  find_consoles(&all, place);
  const char *wanted = all.count ? watch(&all, pid) : 0;
  if (!all.count) wait_for(pid);
  /* A name of the kernel's is short; a longer one could not be kept. */
  int is_moved = wanted && length_of(wanted) < PLACE_MAX;
  if (is_moved) copy_text(place, wanted);
  for (int i = 0; i < all.count; i++) close_file(all.others[i].fd);
  return is_moved;
}
