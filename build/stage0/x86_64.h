/* x86-64: how the program begins, how a system call is made, and the numbers of arch/x86/entry/syscalls/syscall_64.tbl. */

enum {
  SYS_read = 0,
  SYS_write = 1,
  SYS_close = 3,
  SYS_lseek = 8,
  SYS_pread64 = 17,
  SYS_pwrite64 = 18,
  SYS_fadvise64 = 221,
  SYS_ioctl = 16,
  SYS_nanosleep = 35,
  SYS_getpid = 39,
  SYS_socketpair = 53,
  SYS_clone = 56,
  SYS_execve = 59,
  SYS_wait4 = 61,
  SYS_kill = 62,
  SYS_chdir = 80,
  SYS_umask = 95,
  SYS_setsid = 112,
  SYS_fstatfs = 138,
  SYS_pivot_root = 155,
  SYS_chroot = 161,
  SYS_sync = 162,
  SYS_mount = 165,
  SYS_umount2 = 166,
  SYS_reboot = 169,
  SYS_getdents64 = 217,
  SYS_exit_group = 231,
  SYS_openat = 257,
  SYS_mkdirat = 258,
  SYS_mknodat = 259,
  SYS_unlinkat = 263,
  SYS_readlinkat = 267,
  SYS_faccessat = 269,
  SYS_dup3 = 292,
  SYS_pipe2 = 293,
  SYS_memfd_create = 319,
  SYS_clock_gettime = 228,
  SYS_madvise = 28,
  SYS_statx = 332,
  SYS_fchmod = 91,
  SYS_fchown = 93,
  SYS_fgetxattr = 193,
  SYS_llistxattr = 195,
  SYS_flistxattr = 196,
  SYS_utimensat = 280,
  SYS_close_range = 436,
  SYS_mmap = 9,
  SYS_mprotect = 10,
  SYS_munmap = 11,
  SYS_rt_sigprocmask = 14,
  SYS_fcntl = 72,
  SYS_ftruncate = 77,
  SYS_getppid = 110,
  SYS_ppoll = 271,
  SYS_userfaultfd = 323,
};

/* asm-generic/fcntl.h */
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000

static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

/* start() gets the kernel's stack and has ROOM_ON_STACK bytes below it for another; it returns the next instruction and its stack. */
#define ENTRY_CODE                                                                                                     \
  asm(".pushsection .text.entry, \"ax\"\n"                                                                             \
      ".globl _start\n"                                                                                                \
      "_start:\n"                                                                                                      \
      "  xor %ebp, %ebp\n"                                                                                             \
      "  mov %rsp, %rdi\n"                                                                                             \
      "  sub $8192, %rsp\n"                                                                                            \
      "  and $-16, %rsp\n"                                                                                             \
      "  call start\n"                                                                                                 \
      "  mov %rdx, %rsp\n"                                                                                             \
      "  xor %edx, %edx\n"                                                                                             \
      "  jmp *%rax\n"                                                                                                  \
      ".popsection")

static inline void read_cpuid(unsigned leaf, unsigned *ecx)
{
  unsigned eax = leaf, ebx, edx;
  *ecx = 0;
  asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(*ecx), "=d"(edx));
}

/* The runtime is compiled for x86-64-v2 (System V ABI, x86-64 supplement, 3.1.1). Returns the missing feature, or null. */
static inline const char *missing_cpu_feature(void)
{
  unsigned basic, extended;
  read_cpuid(1, &basic);
  read_cpuid(0x80000001, &extended);
  if (!(basic & 1u << 0)) return "SSE3";
  if (!(basic & 1u << 9)) return "SSSE3";
  if (!(basic & 1u << 13)) return "CMPXCHG16B";
  if (!(basic & 1u << 19)) return "SSE4.1";
  if (!(basic & 1u << 20)) return "SSE4.2";
  if (!(basic & 1u << 23)) return "POPCNT";
  if (!(extended & 1u << 0)) return "LAHF";
  return 0;
}

/* The only one there is. */
#ifndef MOST_PAGE_KIB
#define MOST_PAGE_KIB 4
#endif

#define CPU_NEEDED "x86-64-v2, as PC processors made since 2009 have it; for a virtual machine choose the CPU model Nehalem or newer"
