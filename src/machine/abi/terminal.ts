/** The kernel's numbers and structures of terminals and keyboards, named as in its headers; plain data, like constants.ts. */

/** asm-generic/ioctls.h */
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TCFLSH = 0x540b;
/** Of struct winsize, the first two of its four numbers are the rows and the columns. */
export const TIOCGWINSZ = 0x5413;
export const TIOCSTI = 0x5412;
export const TIOCOUTQ = 0x5411;
export const TCIFLUSH = 0;
/** struct termios: four u32 of flags, u8 c_line, u8 c_cc[19]. */
export const TERMIOS = { size: 36, c_iflag: 0, c_oflag: 4, c_cflag: 8, c_lflag: 12, c_cc: 17 } as const;

/** asm-generic/termbits.h: places in c_cc. */
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
/** c_iflag */
export const IGNBRK = 0o1;
export const BRKINT = 0o2;
export const PARMRK = 0o10;
export const ISTRIP = 0o40;
export const INLCR = 0o100;
export const IGNCR = 0o200;
export const ICRNL = 0o400;
export const IUCLC = 0o1000;
export const IXON = 0o2000;
/** c_lflag */
export const ISIG = 0o1;
export const ICANON = 0o2;
export const ECHO = 0o10;
export const ECHOE = 0o20;
export const ECHOK = 0o40;
export const ECHONL = 0o100;
export const IEXTEN = 0o100000;
export const EXTPROC = 0o200000;

/** asm-generic/poll.h */
export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;
/** struct pollfd: s32 fd, s16 events, s16 revents. */
export const POLLFD = { size: 8, fd: 0, events: 4, revents: 6 } as const;

/** linux/kd.h */
export const KDGKBTYPE = 0x4b33;
export const KB_84 = 1;
export const KB_101 = 2;
export const KDGKBMODE = 0x4b44;
export const KDSKBMODE = 0x4b45;
export const K_XLATE = 1;
export const K_UNICODE = 3;
export const KDSKBENT = 0x4b47;
/** struct kbentry: the number of the keymap, that of the key, and a u16 that says what it does. */
export const KBENTRY = { size: 4, kb_table: 0, kb_index: 1, kb_value: 2 } as const;
