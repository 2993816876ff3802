#include "serve.h"

#define FIRST_MEMORIES 16
/* In milliseconds. Without a fault for that long, the program waits; the record gets what was touched until then. */
#define IDLE_PAUSE 500
#define RECORD_PAUSE 2000

/* Unpacks a group, if that is not done already. */
static void provide_group(struct pager *pager, u32 index)
{
  if (pager->cached_group != index) pager->pages = unpack_group(&pager->unpacker, index);
  if (!pager->pages)
    fail(pager, "a compressed part of the runtime is damaged (checksum): group ", number_text(index));
  pager->cached_group = index;
}

/* Copies a part of a run of the group that was provided. */
static enum copied serve_run(const struct pager *pager, int uffd, const struct run *run, u64 first, u64 end)
{
  if (first < run->page) first = run->page;
  if (end > run->page + run->count) end = run->page + run->count;
  if (first >= end) return COPIED;
  const u8 *from = pager->pages + (run->before + first - run->page) * PAGE;
  return copy_pages(pager, uffd, address_of((u32)first), from, (end - first) * PAGE);
}

static enum copied serve_group(struct pager *pager, int uffd, u32 page, u32 index)
{
  const struct group *group = &GROUPS[index];
  u64 first = page - page % group->step, end = first + group->step;
  enum copied result = COPIED;
  provide_group(pager, index);
  for (const struct run *run = RUNS; run < RUNS + store.run_count && result == COPIED; run++)
    if (run->group == index) result = serve_run(pager, uffd, run, first, end);
  if (group->step < FOLLOWING_GROUP || result != COPIED) return result;
  /* Nothing of it is missing now. */
  if (index == pager->next_group) pager->next_group = NO_GROUP;
  if (index + 1 < store.group_count && GROUPS[index + 1].step == FOLLOWING_GROUP) {
    pager->next_group = index + 1;
    pager->next_memory = uffd;
  }
  return result;
}

/* What a person types at a prompt takes seconds; what is needed after Enter is in memory by then. */
static void serve_next_group(struct pager *pager)
{
  u32 index = pager->next_group;
  pager->next_group = NO_GROUP;
  serve_group(pager, pager->next_memory, 0, index);
}

static enum copied serve_fault(struct pager *pager, int uffd, u64 address)
{
  u32 page = (u32)(address / PAGE - store.first_page);
  const struct run *run = find_run(page);
  if (!run || run->group == NO_GROUP) fail(pager, "a page that the pager does not have was touched", "");
  if (!pager->touched) return serve_group(pager, uffd, page, run->group);
  /* For the record of touched pages, only the page itself. */
  provide_group(pager, run->group);
  pager->touched[page / 8] |= (u8)(1 << page % 8);
  return serve_run(pager, uffd, run, page, page + 1);
}

/* A copy into a memory that has ended fails with ESRCH; the store itself is never watched, so nothing is copied there. */
static int has_ended(int uffd)
{
  struct { u64 to, from, size, mode; long copied; } request = {(u64)&store, (u64)&store, PAGE, 0, 0};
  return control(uffd, UFFDIO_COPY, &request) == -ESRCH;
}

static void forget_ended(struct pager *pager)
{
  u32 kept = 1;
  for (u32 i = 1; i < pager->count; i++) {
    int uffd = pager->polls[i].fd;
    if (!has_ended(uffd)) {
      pager->polls[kept++] = pager->polls[i];
      continue;
    }
    if (uffd == pager->next_memory) pager->next_group = NO_GROUP;
    close_file(uffd);
  }
  pager->count = kept;
}

static void add_memory(struct pager *pager, int fd)
{
  if (pager->count == pager->room) {
    u64 size = pager->room * 2 * sizeof(struct poll);
    long room = make_room(size);
    if (is_error(room)) run_out(pager, "not enough memory to follow a fork");
    __builtin_memcpy((void *)room, pager->polls, size / 2);
    if (pager->room > FIRST_MEMORIES) call2(SYS_munmap, pager->polls, size / 2);
    pager->polls = (struct poll *)room;
    pager->room *= 2;
  }
  pager->polls[pager->count++] = (struct poll){fd, POLLIN, 0};
}

/*
 * Reads all that one memory reports. A read returns faults before forks, and a fork in progress refuses copies: so what could not
 * be copied is asked for again when nothing is left to read.
 */
static void serve_memory(struct pager *pager, int uffd)
{
  struct uffd_message message;
  int is_late = 0;
  for (;;) {
    long got = read_bytes(uffd, &message, sizeof message);
    if (got == -EINTR) continue;
    if (got == -EAGAIN) break;
    if (got != sizeof message) fail(pager, "could not follow a fork of the runtime: ", describe_error(got));
    if (message.event == UFFD_EVENT_FORK) add_memory(pager, (int)message.fork.fd);
    else if (message.event == UFFD_EVENT_PAGEFAULT && serve_fault(pager, uffd, message.fault.address) == LATER) is_late = 1;
  }
  if (is_late) wake_all(uffd);
}

/* How long to wait for a fault, in milliseconds; -1: without a limit. */
static long patience(const struct pager *pager)
{
  if (pager->touched) return RECORD_PAUSE;
  return pager->next_group == NO_GROUP ? -1 : IDLE_PAUSE;
}

void serve_faults(int uffd, int life, const struct vector *vector, struct incident *incident)
{
  struct poll first[FIRST_MEMORIES] = {{life, POLLIN, 0}, {uffd, POLLIN, 0}};
  struct pager pager = {.incident = incident, .polls = first, .count = 2, .room = FIRST_MEMORIES, .cached_group = NO_GROUP,
                        .next_group = NO_GROUP};
  const char *fault = prepare_unpacker(&pager.unpacker, vector);
  if (fault) run_out(&pager, fault);
  if (store.flags & STORE_LOG) pager.touched = open_record(&pager.log);
  for (;;) {
    long ready = wait_for_events(pager.polls, pager.count, patience(&pager));
    if (ready < 0 && ready != -EINTR) fail(&pager, "could not wait for the runtime: ", describe_error(ready));
    if (ready == 0 && pager.touched) write_record(pager.log, pager.touched);
    if (ready == 0 && pager.next_group != NO_GROUP) serve_next_group(&pager);
    u32 count = pager.count;
    for (u32 i = 1; i < count; i++)
      if (pager.polls[i].revents) serve_memory(&pager, pager.polls[i].fd);
    if (count < pager.count) forget_ended(&pager);
    /* The end of the last process that has this memory. */
    if (pager.polls[0].revents) {
      if (pager.touched) write_record(pager.log, pager.touched);
      leave(0);
    }
  }
}
