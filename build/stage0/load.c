#include "stage0.h"

#define OUR_VARIABLES "LEVAIN_"
/* Prefixes of variables that the runtime, its allocators, libc and the dynamic loader obey. On a kernel command line they are
   meant for the real init, which gets them; outside a boot, for other programs: a library of LD_PRELOAD may need another libc
   than ours, and BUN_BE_BUN would turn this program into a JavaScript shell. */
static const char *const RUNTIME_VARIABLES[] = {"BUN_",        "NODE_",   "JSC_",      "JavaScriptCore", "LD_",
                                                "GLIBC_",      "MALLOC_", "MIMALLOC_", "mimalloc_",      0};
#define RUNTIME_OPTION "BUN_JSC_threshold"
/* A boot and most commands are too short for compiled JavaScript to pay, except for very long loops; the default threshold is 500. */
#define FIRST_TIER RUNTIME_OPTION "ForJITAfterWarmUp=20000"
/* They end before the second and third tier of the compiler pay; their defaults are 1000 and 100000. */
#define SECOND_TIER RUNTIME_OPTION "ForOptimizeAfterWarmUp="
#define THIRD_TIER RUNTIME_OPTION "ForFTLOptimizeAfterWarmUp=1000000"
/* In a boot, the code of these tiers would have to be unpacked, too. */
static const char *const BOOT_VARIABLES[] = {"LEVAIN_HANDOVER_FD=198", "LEVAIN_WORKER_FD=196", FIRST_TIER, SECOND_TIER "1000000",
                                             THIRD_TIER, 0};
static const char *const DESK_VARIABLES[] = {FIRST_TIER, SECOND_TIER "20000", THIRD_TIER, 0};

struct vector read_vector(u64 *words)
{
  char **argv = (char **)(words + 1);
  char **envp = argv + words[0] + 1;
  char **end = envp;
  while (*end) end++;
  return (struct vector){words, argv, envp, (u64 *)(end + 1)};
}

static u64 *end_of(const struct vector *vector)
{
  u64 *pair = vector->auxv;
  while (pair[0]) pair += 2;
  return pair + 2;
}

static int is_kept(const char *variable, int is_boot)
{
  for (const char *const *prefix = RUNTIME_VARIABLES; *prefix; prefix++)
    if (begins_with(variable, *prefix)) return 0;
  return !(is_boot && begins_with(variable, OUR_VARIABLES));
}

/* Writes the kept variables, then `more`, then the auxiliary vector of `from`, which `to` may overlap from below. */
static void write_environment(u64 *to, const struct vector *from, int is_boot, const char *const *more)
{
  u64 *auxv = from->auxv, *end = end_of(from);
  for (char **variable = from->envp; *variable; variable++)
    if (is_kept(*variable, is_boot)) *to++ = (u64)*variable;
  for (; *more; more++) *to++ = (u64)*more;
  *to++ = 0;
  while (auxv < end) *to++ = *auxv++;
}

struct vector make_vector(const struct vector *from, int is_boot)
{
  static const char *const NONE[] = {0};
  /* Five more words for our variables, one more to align the stack to 16 bytes. */
  u64 size = (u64)(end_of(from) - from->words) + 6;
  if (size * sizeof(u64) <= ROOM_ON_STACK) {
    u64 *words = (u64 *)((u64)(from->words - size) & ~15ul), *to = words;
    for (u64 *word = from->words; word < (u64 *)from->envp; word++) *to++ = *word;
    write_environment(to, from, is_boot, is_boot ? BOOT_VARIABLES : DESK_VARIABLES);
    return read_vector(words);
  }
  if (is_boot) {
    complain("too many arguments and variables for a boot");
    leave(127);
  }
  write_environment((u64 *)from->envp, from, is_boot, NONE);
  return read_vector(from->words);
}

static void write_all(long fd, const char *from, u64 size)
{
  while (size) {
    long count = write_bytes(fd, from, size);
    if (count <= 0) {
      complain("could not unpack the runtime's libraries into memory: ", describe_error(count));
      leave(127);
    }
    from += count;
    size -= (u64)count;
  }
}

/* A file that exists in this process only; the dynamic loader opens it as /proc/self/fd/N. */
static void publish_library(const struct vector *vector, const struct library *library)
{
  /* Since Linux 6.3 the kernel warns without this flag, or insists on it; mapping is not executing. Older kernels do not know the flag. */
  long fd = make_memory_file(library->name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  if (fd == -EINVAL) fd = make_memory_file(library->name, MFD_CLOEXEC);
  if (fd < 0) {
    complain("could not create a file in memory: ", describe_error(fd));
    leave(127);
  }
  if (!unpack_library(vector, library, (int)fd)) write_all(fd, library->bytes, library->size);
  decimal(fd, library->digits);
}

/* The bytes of the libraries are not needed again: those of a paged program are memory of its own. */
static void forget_shelf(void)
{
  const struct library *last = &config.libraries[config.library_count - 1];
  if (config.library_count) forget_memory(config.libraries[0].bytes, last->bytes + last->size);
}

/* Writes what the kernel would have written if it had started the program with its dynamic loader. */
static void tell_loader(u64 *auxv)
{
  for (; auxv[0]; auxv += 2) {
    if (auxv[0] == AT_PHDR) auxv[1] = config.program_headers;
    if (auxv[0] == AT_PHNUM) auxv[1] = config.program_header_count;
    if (auxv[0] == AT_BASE) auxv[1] = config.loader_base;
    if (auxv[0] == AT_ENTRY) auxv[1] = config.program_entry;
  }
}

struct jump load_program(const struct vector *vector, struct incident *incident, int is_boot)
{
  page_program(vector, incident, is_boot);
  for (u64 i = 0; i < config.library_count; i++) publish_library(vector, &config.libraries[i]);
  forget_shelf();
  tell_loader(vector->auxv);
  return (struct jump){config.loader_entry, (u64)vector->words};
}
