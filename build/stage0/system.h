/* The part of the kernel's interface that stage0 uses. Every function returns the kernel's result: less than 0 is -errno. */
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#if defined(__x86_64__)
#include "x86_64.h"
#elif defined(__aarch64__)
#include "aarch64.h"
#else
#error "stage0 knows x86-64 and AArch64"
#endif

#define E2BIG 7
#define ENOENT 2
#define EINTR 4
#define EPIPE 32
#define SEEK_END 2
#define EBUSY 16
#define AT_FDCWD (-100)
#define AT_PHDR 3
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_ENTRY 9
#define O_RDONLY 0
#define O_WRONLY 01
#define O_RDWR 02
#define O_NOCTTY 0400
#define O_NONBLOCK 04000
#define O_CLOEXEC 02000000
#define MFD_CLOEXEC 1
#define MFD_NOEXEC_SEAL 8
#define EINVAL 22
#define X_OK 1
#define R_OK 4
#define S_IFCHR 0020000
#define MS_NOSUID 2
#define MS_NODEV 4
#define MS_NOEXEC 8
#define MS_MOVE 8192
#define MS_RDONLY 1
#define MS_REMOUNT 32
#define MNT_DETACH 2
#define UMOUNT_NOFOLLOW 8
#define AT_REMOVEDIR 0x200
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_NO_AUTOMOUNT 0x800
#define SIGBUS 7
#define SIGKILL 9
#define SIGTERM 15
#define SIGCHLD 17
#define WNOHANG 1
#define TCGETS 0x5401
#define TCSETS 0x5402
#define TIOCSCTTY 0x540e
#define TIOCOUTQ 0x5411
#define FIONREAD 0x541b
#define TIOCVHANGUP 0x5437
#define TIOCGDEV 0x80045432
#define REBOOT_MAGIC1 0xfee1dead
#define REBOOT_MAGIC2 672274793
#define REBOOT_RESTART 0x01234567
#define REBOOT_HALT 0xcdef0123
#define REBOOT_POWER_OFF 0x4321fedc
#define REBOOT_KEXEC 0x45584543

#define call0(n) call6(n, 0, 0, 0, 0, 0, 0)
#define call1(n, a) call6(n, (long)(a), 0, 0, 0, 0, 0)
#define call2(n, a, b) call6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define call3(n, a, b, c) call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define call4(n, a, b, c, d) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define call5(n, a, b, c, d, e) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

static inline long open_file_in(long in, const char *path, int flags) { return call4(SYS_openat, in, path, flags, 0); }
static inline long open_file(const char *path, int flags) { return open_file_in(AT_FDCWD, path, flags); }
static inline long read_bytes(long fd, void *to, u64 size) { return call3(SYS_read, fd, to, size); }
static inline long write_bytes(long fd, const void *from, u64 size) { return call3(SYS_write, fd, from, size); }
static inline long seek_to_end(long fd) { return call3(SYS_lseek, fd, 0, SEEK_END); }
static inline long seek_to_start(long fd) { return call3(SYS_lseek, fd, 0, 0); }
static inline long close_file(long fd) { return call1(SYS_close, fd); }
static inline long duplicate(long fd, long to, int flags) { return fd == to ? fd : call3(SYS_dup3, fd, to, flags); }
static inline long control(long fd, u64 request, void *argument) { return call3(SYS_ioctl, fd, request, argument); }
static inline long make_pipe(int fds[2], int flags) { return call2(SYS_pipe2, fds, flags); }
static inline long make_socket_pair(int family, int type, int fds[2])
{
  return call4(SYS_socketpair, family, type, 0, fds);
}
/* The pages from `from` on, which begins one, have their first content again when they are touched; until then they take no memory. */
#define MADV_DONTNEED 4
static inline void forget_memory(const void *from, const void *to)
{
  call3(SYS_madvise, from, (const char *)to - (const char *)from, MADV_DONTNEED);
}
/* linux/time.h */
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
static inline u64 microseconds(int clock)
{
  long time[2] = {0, 0};
  call2(SYS_clock_gettime, clock, time);
  return (u64)(time[0] * 1000000 + time[1] / 1000);
}
static inline long make_memory_file(const char *name, int flags) { return call2(SYS_memfd_create, name, flags); }
static inline long make_directory(const char *path) { return call3(SYS_mkdirat, AT_FDCWD, path, 0755); }
static inline long make_node(long in, const char *path, u32 mode, u32 device)
{
  return call4(SYS_mknodat, in, path, S_IFCHR | mode, device);
}
static inline long read_link(const char *path, char *to, u64 size)
{
  return call4(SYS_readlinkat, AT_FDCWD, path, to, size);
}
static inline long open_directory(long in, const char *name)
{
  return call4(SYS_openat, in, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}
static inline long read_entries(long directory, void *to, u64 size) { return call3(SYS_getdents64, directory, to, size); }
static inline long remove_file(long in, const char *name, int flags) { return call3(SYS_unlinkat, in, name, flags); }
static inline long get_filesystem(long fd, void *to) { return call2(SYS_fstatfs, fd, to); }
/* The used part of struct statx of linux/stat.h; the kernel always fills in the device. */
struct statx {
  u8 unused[136];
  u32 device_major;
  u32 device_minor;
  u8 rest[112];
};
static inline long get_status(long in, const char *name, struct statx *to)
{
  return call5(SYS_statx, in, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, to);
}
static inline int can_read(const char *path) { return call3(SYS_faccessat, AT_FDCWD, path, R_OK) == 0; }
static inline int can_execute(const char *path) { return call3(SYS_faccessat, AT_FDCWD, path, X_OK) == 0; }
static inline long mount(const char *source, const char *target, const char *type, u64 flags, const char *options)
{
  return call5(SYS_mount, source, target, type, flags, options);
}
static inline long unmount(const char *target, int flags) { return call2(SYS_umount2, target, flags); }
static inline long change_directory(const char *path) { return call1(SYS_chdir, path); }
static inline long change_root(const char *path) { return call1(SYS_chroot, path); }
static inline long pivot_root(const char *to, const char *old) { return call2(SYS_pivot_root, to, old); }
static inline long execute(const char *path, char *const argv[], char *const envp[])
{
  return call3(SYS_execve, path, argv, envp);
}
static inline long fork_process(void) { return call5(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static inline long wait_for_any(int *status, int flags) { return call4(SYS_wait4, -1, status, flags, 0); }
/* Every process but process 1 and this one. */
static inline long kill_others(int signal) { return call2(SYS_kill, -1, signal); }
static inline long process_id(void) { return call0(SYS_getpid); }
static inline long new_session(void) { return call0(SYS_setsid); }
static inline u32 set_umask(u32 mask) { return (u32)call1(SYS_umask, mask); }
static inline void sleep_for(long seconds, long nanoseconds)
{
  long time[2] = {seconds, nanoseconds};
  call2(SYS_nanosleep, time, 0);
}
/* A serial line needs time for its buffer: 4 KiB take 4 s at 9600 baud. A line that flow control blocks is given up after that. */
static inline void drain_console(void)
{
  u32 unsent = 1;
  for (int turn = 0; turn < 250 && unsent && control(2, TIOCOUTQ, &unsent) >= 0; turn++) sleep_for(0, 20000000);
}
/* In another process: sync(2) waits for the lock of a disk that is being opened, so as long as the disk does not answer. */
static inline void sync_disks(void)
{
  int status;
  long pid = fork_process();
  if (pid == 0)
    for (call0(SYS_sync);;) call1(SYS_exit_group, 0);
  for (int turn = 0; pid > 0 && turn < 500 && wait_for_any(&status, WNOHANG) != pid; turn++) sleep_for(0, 20000000);
}
static inline void switch_power(u32 command)
{
  drain_console();
  sync_disks();
  call4(SYS_reboot, REBOOT_MAGIC1, REBOOT_MAGIC2, command, 0);
}
static inline void close_all_from(u32 fd) { call3(SYS_close_range, fd, ~0u, 0); }
static inline void leave(int status)
{
  for (;;) call1(SYS_exit_group, status);
}
