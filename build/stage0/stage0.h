/* What the parts of stage0 know of one another. */
#pragma once

#include "system.h"

#define ROOM_ON_STACK 8192
#define HANDOVER_FD 198
/* /dev as prepare_machine() left it: the same wherever it moves, while its path in a new root may lead anywhere. */
#define DEV_FD 197
#define HANDOVER_MAX 65536
#define HANDOVER_WORDS 4096
#define COMMAND_LINE_MAX 32768
#define KEYS_MAX 8192

/* --- load.c: the program that the packer wrapped --- */

/* A library that the dynamic loader will open by `path`, "/proc/self/fd/…", whose digits are filled in when it runs. */
struct library {
  const char *name;
  const char *bytes;
  u64 size;
  char *digits;
};

/* Written by the packer (build/stage0/pack.ts): what the kernel would have told the dynamic loader of the program alone. */
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

/* What the kernel puts on a new program's stack: argc, argv…, 0, envp…, 0, auxv pairs…, 0 0. */
struct vector {
  u64 *words;
  char **argv;
  char **envp;
  u64 *auxv;
};
struct vector read_vector(u64 *words);

/*
 * The vector without the variables that the runtime would obey, and with our own for it, in the room under the old one; a
 * boot's also without LEVAIN_*. On a desk, where that room is too small for many arguments: in its place, without ours.
 */
struct vector make_vector(const struct vector *from, int is_boot);

/* Where the processor goes next, and with which stack. */
struct jump {
  u64 entry;
  u64 stack;
};
struct jump load_program(const struct vector *vector);

/* --- supervise.c: PID 1 --- */

/* True where the kernel itself started us, as the first process of the machine. */
int is_first_process(void);
/* Returns in the child only. */
void supervise(char **envp);

/* --- prepare.c --- */

void prepare_machine(void);
/* /dev/console on 0, 1 and 2. */
void open_console(void);

/* --- killed.c --- */

/* The kernel's log, for what it says from now on; less than 0 where it cannot be read. */
long open_kernel_log(void);
/* Says what the log has on the end of process `pid` by SIGKILL. */
void explain_kill(long log, long pid);

/* --- policy.c --- */

enum action { ACTION_SHELL, ACTION_REBOOT, ACTION_POWEROFF, ACTION_HALT };
struct policy {
  /* rdshell=0: none, ever; `action` is another then. */
  int has_shell;
  enum action action;
  /* Before it. */
  long seconds;
  /* The image's list of its key files, paths with a NUL behind each; read early, for a root that is entered later is not trusted. */
  const char *keys;
  /* Less than 0 where it is too long to be obeyed. */
  long keys_size;
  /* False once the new root is entered: what a path means then is the new root's affair. */
  int is_in_initramfs;
};
/* `texts` are command lines, the weakest first; they are taken apart in place. What is wrong in them counts as not said. */
struct policy read_policy(char *const texts[]);

/* Of this machine: its image's parameters, then the boot loader's. */
struct policy read_machine_policy(void);

/* --- rescue.c --- */

/* What is done when nothing else can be. Returns when the boot shall be tried again, `again` says it in words. */
void apply_policy(const struct policy *policy, char **envp, const char *again);
/* Waits for one child and buries all others; returns its status as wait(2) gives it. */
int wait_for(long pid);

/* --- seal.c --- */

/* Closes every encrypted volume and removes the image's key files. Returns 0 where one stays: then there must be no shell. */
int seal_volumes(const struct policy *policy);

/* --- terminal.c --- */

/* include/uapi/asm-generic/termbits.h */
struct termios {
  u32 input, output, control, local;
  u8 line, characters[19];
};
/* Of the terminal on standard input. False where it is none. */
int read_console(struct termios *settings);
/* Nothing that is typed there is shown from here on: it may be a passphrase that comes too early. */
void silence_console(void);
/* What was typed meanwhile is read and wiped. */
void restore_console(const struct termios *before);
/* For a shell, after us and a runtime that may have died in the middle of a question for a passphrase. What was typed for that is read and wiped. */
void mend_terminal(long terminal);

/* --- handover.c --- */

/* Points into the message; argv and envp end with null. */
struct handover {
  const char *mode;
  const char *root;
  const char *put_old;
  const char *init;
  char **argv;
  char **envp;
  int is_entered;
  /* A descriptor of the initramfs, which is still to be emptied; else -1. */
  long old_root;
  /* The console's settings that the real init gets; null where there is no terminal. */
  const struct termios *console;
};
/* Returns null, or what is wrong with the message. `words` has room for HANDOVER_WORDS. */
const char *parse_handover(char *message, u64 size, char **words, struct handover *to);
/* Returns only where it failed, having said why. */
void follow_handover(struct handover *handover);

/* --- empty.c --- */

/* Removes all that lies in the directory `old_root`, where it is a filesystem in memory, and never crosses a mount. */
void empty_initramfs(long old_root);

/* --- text.c --- */

u64 length_of(const char *text);
int is_same(const char *a, const char *b);
int begins_with(const char *text, const char *start);
/* `to` has room for it. */
void copy_text(char *to, const char *from);
/* Into `to`, which has at least 24 bytes; returns it. */
char *decimal(long number, char *to);
/* Digits only, at most 10 of them, behind a sign where `is_signed`. Returns 0 where it is anything else. */
int parse_number(const char *text, int is_signed, long *number);
const char *describe_error(long error);
const char *describe_signal(int signal);

/* --- say.c --- */

/* Strings to a line in the kernel's log, which it shows on all of its consoles; where it does not, to standard error too. */
void say_words(const char *const *words);
/* The same to standard error only. */
void complain_words(const char *const *words);
#define say(...) say_words((const char *const[]){__VA_ARGS__, 0})
#define complain(...) complain_words((const char *const[]){__VA_ARGS__, 0})
#define number_text(number) decimal(number, (char[24]){0})
/* A whole small file, with a 0 behind it; cut at size - 1. Returns its length, or less than 0. */
long read_text_file(const char *path, char *to, u64 size);
/* Into a file that is there; what cannot be written is not. */
void write_text_file(const char *path, const char *from, u64 size);
/* proc_sys_kernel(5): its first number says which messages the kernel shows on its consoles. */
#define CONSOLE_LEVEL "/proc/sys/kernel/printk"
