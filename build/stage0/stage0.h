/* The interfaces between the parts of stage0. */
#pragma once

#include "entries.h"

#define ROOM_ON_STACK 8192
#define HANDOVER_FD 198
/* A descriptor of the /dev of prepare_machine(): it stays valid when /dev moves, while the path in a new root may lead anywhere. */
#define DEV_FD 197
/* The socket of the worker that a boot begins with. */
#define WORKER_FD 196
/* As in src/machine/linux/processes/processes.ts. */
#define STATE_FD 3
/* In /dev: the foreground virtual terminal. */
#define SCREEN "tty0"
#define HANDOVER_MAX 65536
#define HANDOVER_WORDS 4096
#define COMMAND_LINE_MAX 32768
#define KEYS_MAX 8192

/* --- load.c: the program that the packer wrapped --- */

/* A library that the dynamic loader opens as "/proc/self/fd/…", whose digits are filled in at run time. */
struct library {
  const char *name;
  const char *bytes;
  u64 size;
  char *digits;
};

/* Written by the packer (build/stage0/pack.ts): what the kernel would tell the dynamic loader about the program. */
struct config {
  char magic[8];
  u64 program_entry;
  u64 program_headers;
  u64 program_header_count;
  u64 loader_base;
  u64 loader_entry;
  u64 library_count;
  struct library libraries[8];
};
extern const struct config config __attribute__((visibility("hidden")));

/* The initial stack of a program: argc, argv…, 0, envp…, 0, auxv pairs…, 0 0. */
struct vector {
  u64 *words;
  char **argv;
  char **envp;
  u64 *auxv;
};
struct vector read_vector(u64 *words);

/* The size of the kernel's pages. */
static inline u64 page_kib(const struct vector *vector)
{
  for (const u64 *pair = vector->auxv; pair[0]; pair += 2)
    if (pair[0] == AT_PAGESZ) return pair[1] >> 10;
  return 4;
}
#define LARGE_PAGES "levain's runtime does not run on this kernel: its pages are of "
#define LARGE_PAGES_HINT "hint: boot a kernel with pages of 4 KiB: most distributions have one"

/*
 * Makes the vector without the variables that the runtime would obey (in a boot: and without LEVAIN_*) and with ours for it, in the
 * room below the old one. Outside a boot, if many arguments do not fit there: in place, without ours.
 */
struct vector make_vector(const struct vector *from, int is_boot);

/* The next instruction and its stack. */
struct jump {
  u64 entry;
  u64 stack;
};
#define DAMAGED_HINT "hint: the image is damaged, or the machine's memory: write the image again, and test the memory"

/* --- pager/: for a program whose runtime is compressed --- */

/* Memory of process 1, the program and its pager: why the program had to be killed. */
struct incident {
  /* Empty if nothing happened. */
  char words[256];
  /* The pager, and the signal that ended it, or 0. */
  int pid, signal;
  /* It failed because there was no memory. */
  int lacks_memory;
  /* A child of the program, then of process 1; ends after the pager. */
  int watcher;
};
#ifdef PAGED
/* Returns null if there is no memory. */
struct incident *share_incident(void);
/* Maps the program's memory; `incident` is null outside a boot. Returns when all of it can be used. */
void page_program(const struct vector *vector, struct incident *incident, int is_boot);
/*
 * Unpacks a library into a file without touching its place in memory, which would cost a turn of the pager and two copies. Returns 0 if
 * its pages are not in groups of their own: it must be read from memory then.
 */
int unpack_library(const struct vector *vector, const struct library *library, int file);
#else
static inline struct incident *share_incident(void) { return 0; }
static inline void page_program(const struct vector *vector, struct incident *incident, int is_boot)
{
  (void)vector, (void)incident, (void)is_boot;
}
static inline int unpack_library(const struct vector *vector, const struct library *library, int file)
{
  (void)vector, (void)library, (void)file;
  return 0;
}
#endif

struct jump load_program(const struct vector *vector, struct incident *incident, int is_boot);

/* --- worker.c --- */

/* As in src/machine/linux/workers/worker.ts. */
#define WORKER_ARGUMENT "--worker"
/* True if levain started us to make system calls for it. */
int is_worker(const struct vector *vector);
/* Makes the calls that come from the socket at descriptor 0; ends with the parent. */
void serve_orders(void);
/* Forks one, with its socket at WORKER_FD. If that fails, levain starts its own. */
void start_worker(void);

/* --- supervise.c: PID 1 --- */

/* True if the kernel started us as the first process of the machine. */
int is_first_process(void);
/* Returns in the child only, with the memory that it shares with process 1. */
struct incident *supervise(const struct vector *vector);

/* --- prepare.c --- */

void prepare_machine(void);

/* --- killed.c --- */

/* Opens the kernel log at its end; less than 0 if it cannot be read. */
long open_kernel_log(void);
/* Prints what the log says about the end of process `pid` by SIGKILL. */
void explain_kill(long log, long pid);

/* --- policy.c --- */

enum action { ACTION_SHELL, ACTION_REBOOT, ACTION_POWEROFF, ACTION_HALT };
/* SHELL_ASK: after a password, which only the runtime can check. */
enum shell { SHELL_NEVER, SHELL_ASK, SHELL_YES };
struct policy {
  /* `action` is ACTION_SHELL only with SHELL_YES. */
  enum shell shell;
  enum action action;
  /* To wait before it. */
  long seconds;
  /* The image's list of key files, NUL-terminated paths; read early, because a root that is entered later is not trusted. */
  const char *keys;
  /* Less than 0 if the list is too long to be followed. */
  long keys_size;
  /* False once the new root is entered, where a path may mean anything. */
  int is_in_initramfs;
};
/* `texts` are command lines, the weakest first; they are changed in place. Invalid values are ignored. */
struct policy read_policy(char *const texts[]);

/* The policy of this machine: the image's parameters, then the boot loader's. */
struct policy read_machine_policy(void);

/* --- rescue.c --- */

/* Applies the policy. Returns when the boot is to be retried; `again` says what `exit` does. */
void apply_policy(const struct policy *policy, char **envp, const char *again);
/* Waits for one child and reaps all others; returns its status as in wait(2). */
int wait_for(long pid);

/* --- place.c --- */

#define PLACE_MAX 32
/* Says on which console the shell is, if there are several. `place` is a name in /dev; empty: the console behind /dev/console. */
void say_place(const char *place);
/* Waits for the shell. Returns 0 when it has ended, or 1 if a person has pressed Enter twice on another console, whose name is in `place` then. */
int wait_for_shell(long pid, char *place);

/* --- seal.c --- */

/* Closes every encrypted volume and removes the image's key files. Returns 0 if one stays: no shell may start then. */
int seal_volumes(const struct policy *policy);

/* --- volumes.c --- */

/*
 * Closes what is not in use: loop devices, arrays, device-mapper devices. What lies below another one is closed by a later call.
 * Returns 0 if a device-mapper device is left, or may be.
 */
int close_unused(void);
/* Returns 0 if there is a device-mapper device, or may be one. */
int has_no_mapping(void);

/* --- arrays.c --- */

/* Stops every RAID array that is not in use. */
void stop_arrays(void);

/* --- terminal.c --- */

/* include/uapi/asm-generic/termbits.h */
struct termios {
  u32 input, output, control, local;
  u8 line, characters[19];
};
/* Reads the settings of standard input. False if it is no terminal. */
int read_console(struct termios *settings);
/* Switches the echo off: what is typed may be a passphrase that comes too early. */
void silence_console(void);
/* Restores the settings; reads and wipes what was typed meanwhile. */
void restore_console(const struct termios *before);
/* /dev/console on 0, 1 and 2. */
void open_console(void);
/* Prepares a terminal for a shell: the runtime may have died while it asked for a passphrase. Reads and wipes what was typed. */
void mend_terminal(long terminal);

/* --- handover.c --- */

/* Pointers into the message; argv and envp end with null. */
struct handover {
  const char *mode;
  const char *root;
  const char *put_old;
  const char *init;
  /* Its argv names STATE_FD, which tells it when the initramfs began. */
  int is_systemd;
  char **argv;
  char **envp;
  int is_entered;
  /* A descriptor of the initramfs while it is not emptied yet; else -1. */
  long old_root;
  /* The console settings for the real init; null without a terminal. */
  const struct termios *console;
  /* When stage0 began, in microseconds: the time of day, and since the kernel started. */
  u64 began[2];
};
/* Returns null, or what is wrong with the message. `words` has room for HANDOVER_WORDS. */
const char *parse_handover(char *message, u64 size, char **words, struct handover *to);
/* Returns only if it failed, after a message. */
void follow_handover(struct handover *handover);

/* --- empty.c --- */

/* Removes everything in the directory `old_root` if it is a filesystem in memory, and never crosses a mount. */
void empty_initramfs(long old_root);

/* --- text.c --- */

u64 length_of(const char *text);
int is_same(const char *a, const char *b);
int begins_with(const char *text, const char *start);
/* `to` must have room for it. */
void copy_text(char *to, const char *from);
/* Writes into `to`, at least 24 bytes; returns it. */
char *decimal(long number, char *to);
/* Parses at most 10 digits, with a sign if `is_signed`. Returns 0 for anything else. */
int parse_number(const char *text, int is_signed, long *number);
/* Cuts off the word at `text` at the next space and decodes the kernel's escapes ("\040"); returns the rest. */
char *take_word(char *text);
const char *describe_error(long error);
const char *describe_signal(int signal);

/* --- say.c --- */

/* Joins strings to a line in the kernel log, which the kernel shows on its consoles; if it does not, also on standard error. */
void say_words(const char *const *words);
/* The same on standard error only. */
void complain_words(const char *const *words);
/* A message that is no error, in the kernel log only. */
void note_words(const char *const *words);
#define note(...) note_words((const char *const[]){__VA_ARGS__, 0})
#define say(...) say_words((const char *const[]){__VA_ARGS__, 0})
#define complain(...) complain_words((const char *const[]){__VA_ARGS__, 0})
#define number_text(number) decimal(number, (char[24]){0})
/* Reads a small file, NUL-terminated; truncates it at size - 1. Returns its length, or less than 0. */
long read_text_file(const char *path, char *to, u64 size);
/* Writes into an existing file; ignores errors. */
void write_text_file(const char *path, const char *from, u64 size);
/* proc_sys_kernel(5): its first number is the console log level. */
#define CONSOLE_LEVEL "/proc/sys/kernel/printk"
