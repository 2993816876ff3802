/* In the process that becomes the program: makes its memory appear, when it is touched or at once. */
#include "pager.h"

#define F_SETFL 4
#define F_SETOWN 8
#define F_SETSIG 10
#define F_DUPFD_CLOEXEC 1030
#define O_ASYNC 020000

struct incident *share_incident(void)
{
  long got = map_memory(0, sizeof(struct incident), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return is_error(got) ? 0 : (struct incident *)got;
}

void give_up(const char *why)
{
  complain(why);
  if (is_same(why, DAMAGED)) complain(DAMAGED_HINT);
  leave(127);
}

static long open_faults(void)
{
  /* Forks must be followed, or their pages would be zero; only root may. */
  struct { u64 api, features, ioctls; } api = {UFFD_API, UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_THREAD_ID, 0};
  long uffd = call1(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
  if (uffd < 0) return uffd;
  long error = control(uffd, UFFDIO_API, &api);
  if (error >= 0) return uffd;
  close_file(uffd);
  return error;
}

/* A standard descriptor may be closed, and a file opened now would become the program's. */
static int move_up(long fd)
{
  if (fd > 2 || fd < 0) return (int)fd;
  long above = call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
  close_file(fd);
  return (int)above;
}

/* Should the watcher and the pager both be killed, their end of the pipe closes, and the kernel itself kills the program. */
static void tie_to_pager(int life)
{
  call3(SYS_fcntl, life, F_SETSIG, SIGKILL);
  call3(SYS_fcntl, life, F_SETOWN, process_id());
  call3(SYS_fcntl, life, F_SETFL, O_WRONLY | O_ASYNC);
}

/* Returns the program header of the store: the packer gives it a segment of its own. */
static const struct segment *segment_of_store(const struct vector *vector)
{
  const struct segment *segment = 0;
  for (const u64 *pair = vector->auxv; pair[0]; pair += 2)
    if (pair[0] == AT_PHDR) segment = (const struct segment *)pair[1];
  while (segment->address != (u64)&store) segment++;
  return segment;
}

/* What every boot touches is in our file as it is. Mapped, it costs neither a turn of the pager nor a copy. */
static long map_plain_runs(u64 store_offset)
{
  long file = open_file("/proc/self/exe", O_RDONLY | O_CLOEXEC), error = file;
  for (const struct run *run = RUNS; run < RUNS + store.run_count && !is_error(error); run++) {
    if (run->group == NO_GROUP || GROUPS[run->group].step != PLAIN_GROUP) continue;
    u64 address = address_of(run->page);
    error = map_memory(address, run->count * PAGE, region_of(address)->protection, MAP_PRIVATE | MAP_FIXED, file,
                       store_offset + GROUPS[run->group].offset + run->before * PAGE);
  }
  if (file >= 0) close_file(file);
  return is_error(error) ? error : 0;
}

static long map_regions(int uffd)
{
  long error = 0;
  for (u32 i = 0; i < store.region_count && !is_error(error); i++) {
    const struct region *r = &store.regions[i];
    error = map_memory(r->address, r->memory_end - r->address, r->protection,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    struct { u64 start, size, mode, ioctls; } range = {r->address, r->file_end - r->address, UFFDIO_REGISTER_MODE_MISSING, 0};
    if (!is_error(error)) error = control(uffd, UFFDIO_REGISTER, &range);
  }
  /* Zero pages need no pager. */
  for (const struct run *run = RUNS; run < RUNS + store.run_count && !is_error(error); run++) {
    u64 range[2] = {address_of(run->page), run->count * PAGE};
    if (run->group == NO_GROUP) error = control(uffd, UFFDIO_UNREGISTER, range);
  }
  return is_error(error) ? error : 0;
}

/*
 * The order matters: a fork after the regions are registered would wait for the pager, which is not there yet. We keep the
 * descriptor: the kernel fills missing pages with zeros when its last copy is closed.
 */
static long map_lazily(const struct vector *vector, struct incident *incident, int is_boot)
{
  int ends[2];
  long uffd = move_up(open_faults());
  if (uffd < 0) return uffd;
  long error = make_pipe(ends, O_CLOEXEC | O_NONBLOCK);
  if (error < 0) {
    close_file(uffd);
    return error;
  }
  int read_end = move_up(ends[0]), life = move_up(ends[1]);
  /* Without a signal at its end: wait(2) of the program does not see this child. */
  long pid = call5(SYS_clone, 0, 0, 0, 0, 0);
  if (pid == 0) {
    close_file(life);
    watch_pager((int)uffd, read_end, vector, incident, is_boot);
  }
  incident->watcher = (int)pid;
  close_file(read_end);
  error = pid < 0 ? pid : map_regions((int)uffd);
  if (error == 0) error = map_plain_runs(segment_of_store(vector)->offset);
  if (error == 0) {
    tie_to_pager(life);
    return 0;
  }
  close_file(life);
  close_file(uffd);
  return error;
}

static long milliseconds(void) { return (long)microseconds(CLOCK_MONOTONIC) / 1000; }

static void load_at_once(const struct vector *vector, const char *why, int is_boot)
{
  long start = milliseconds();
  const char *fault = load_everything(vector);
  if (fault) give_up(fault);
  if (is_boot)
    note("unpacked the whole runtime in ", number_text(milliseconds() - start), " ms, because ", why);
}

/*
 * Ends in SIGBUS if the kernel had no memory to unpack all of our file: the end is missing then. Later, the runtime would get the
 * signal, and try to report it itself.
 */
static void touch_end(const struct segment *segment) { (void)*(const volatile u8 *)(segment->address + segment->file_size - 1); }

void page_program(const struct vector *vector, struct incident *incident, int is_boot)
{
  touch_end(segment_of_store(vector));
  const char *fault = check_store();
  if (fault) give_up(fault);
  if (!incident) incident = share_incident();
  if (!incident) give_up("not enough memory for the runtime");
  /* Process 1 of a container cannot be killed by its own processes, so it must not depend on another. */
  int has_large_pages = page_kib(vector) * 1024 != PAGE;
  int is_eager = has_large_pages || store.flags & STORE_EAGER || process_id() == 1;
  long error = is_eager ? -ENOSYS : map_lazily(vector, incident, is_boot);
  char why[96] = "userfaultfd cannot be used: ";
  copy_text(why + length_of(why), describe_error(error));
  /* The store has pages of 4 KiB, which such a kernel cannot map. */
  if (has_large_pages) load_at_once(vector, "the kernel's pages are larger than 4 KiB", is_boot);
  else if (error < 0) load_at_once(vector, why, is_boot);
  call2(SYS_munmap, incident, sizeof *incident);
}
