/* Numbers and sizes for starting processes and sharing memory with them, named as in the headers of the kernel and glibc. */

/** asm-generic/mman-common.h, linux/mman.h */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;

/** linux/prctl.h */
export const PR_SET_PDEATHSIG = 1;
export const PR_SET_CHILD_SUBREAPER = 36;

/** linux/socket.h */
export const AF_UNIX = 1;
export const SOCK_STREAM = 1;
export const SOCK_SEQPACKET = 5;

/** asm/signal.h */
export const SIGKILL = 9;
export const SIGSTOP = 19;

/** linux/wait.h */
export const WNOHANG = 1;
export const WUNTRACED = 2;

/** spawn.h of glibc: flags of posix_spawnattr_t, and a size that fits either opaque structure (336 and 80 bytes). */
export const POSIX_SPAWN_SETPGROUP = 0x02;
export const POSIX_SPAWN_SETSIGDEF = 0x04;
export const POSIX_SPAWN_SETSIGMASK = 0x08;
export const POSIX_SPAWN_SETSID = 0x80;
export const POSIX_SPAWN_STRUCT_SIZE = 512;
/** sigset_t of glibc, in bytes. */
export const SIGSET_SIZE = 128;
