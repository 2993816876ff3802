/* AArch64: how the program begins, how a system call is made, and the numbers of include/uapi/asm-generic/unistd.h. */

enum {
  SYS_dup3 = 24,
  SYS_ioctl = 29,
  SYS_mknodat = 33,
  SYS_mkdirat = 34,
  SYS_unlinkat = 35,
  SYS_umount2 = 39,
  SYS_mount = 40,
  SYS_pivot_root = 41,
  SYS_fstatfs = 44,
  SYS_faccessat = 48,
  SYS_chdir = 49,
  SYS_chroot = 51,
  SYS_openat = 56,
  SYS_close = 57,
  SYS_lseek = 62,
  SYS_pread64 = 67,
  SYS_pwrite64 = 68,
  SYS_fadvise64 = 223,
  SYS_pipe2 = 59,
  SYS_getdents64 = 61,
  SYS_read = 63,
  SYS_write = 64,
  SYS_readlinkat = 78,
  SYS_sync = 81,
  SYS_exit_group = 94,
  SYS_nanosleep = 101,
  SYS_reboot = 142,
  SYS_setsid = 157,
  SYS_umask = 166,
  SYS_getpid = 172,
  SYS_clone = 220,
  SYS_execve = 221,
  SYS_kill = 129,
  SYS_wait4 = 260,
  SYS_memfd_create = 279,
  SYS_clock_gettime = 113,
  SYS_madvise = 233,
  SYS_socketpair = 199,
  SYS_statx = 291,
  SYS_fchmod = 52,
  SYS_fchown = 55,
  SYS_fgetxattr = 10,
  SYS_llistxattr = 12,
  SYS_flistxattr = 13,
  SYS_utimensat = 88,
  SYS_close_range = 436,
  SYS_mmap = 222,
  SYS_mprotect = 226,
  SYS_munmap = 215,
  SYS_rt_sigprocmask = 135,
  SYS_fcntl = 25,
  SYS_ftruncate = 46,
  SYS_getppid = 173,
  SYS_ppoll = 73,
  SYS_userfaultfd = 282,
};

/* arch/arm64/include/uapi/asm/fcntl.h */
#define O_DIRECTORY 040000
#define O_NOFOLLOW 0100000

static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

/* start() gets the kernel's stack and has ROOM_ON_STACK bytes below it for another; it returns the next instruction and its stack. */
#define ENTRY_CODE                                                                                                     \
  asm(".pushsection .text.entry, \"ax\"\n"                                                                             \
      ".globl _start\n"                                                                                                \
      "_start:\n"                                                                                                      \
      "  mov x29, #0\n"                                                                                                \
      "  mov x30, #0\n"                                                                                                \
      "  mov x0, sp\n"                                                                                                 \
      "  sub sp, sp, #8192\n"                                                                                          \
      "  bl start\n"                                                                                                   \
      "  mov sp, x1\n"                                                                                                 \
      "  mov x16, x0\n"                                                                                                \
      "  mov x0, #0\n"                                                                                                 \
      "  br x16\n"                                                                                                     \
      ".popsection")

/* The runtime is compiled for ARMv8.0, which every AArch64 machine is. */
static inline const char *missing_cpu_feature(void)
{
  return 0;
}

/* CeilingOnPageSize of WebKit, for Linux on ARM64. */
#ifndef MOST_PAGE_KIB
#define MOST_PAGE_KIB 16
#endif

#define CPU_NEEDED "ARMv8.0"
