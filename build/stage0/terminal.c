#include "stage0.h"

/* include/uapi/asm-generic/termbits.h */
#define VEOF 4
#define ICRNL 0000400
#define IXON 0002000
#define OPOST 0000001
#define ONLCR 0000004
#define ISIG 0000001
#define ICANON 0000002
#define ECHO 0000010
#define ECHOE 0000020
#define ECHOK 0000040
#define ECHONL 0000100
#define IEXTEN 0100000
#define EXTPROC 0200000
/* include/linux/tty.h, INIT_C_CC */
#define CTRL_D 4

/* Reads what was typed so far: in canonical mode without echo, the kernel then wipes it (zero_buffer in n_tty.c, since 4.20). */
static void drain(long terminal)
{
  char typed[256];
  int waiting = 0;
  for (int turn = 0; turn < 64 && control(terminal, FIONREAD, &waiting) >= 0 && waiting > 0; turn++) {
    u64 size = (u64)waiting < sizeof typed ? (u64)waiting : sizeof typed;
    if (read_bytes(terminal, typed, size) < 0) break;
  }
  for (volatile char *at = typed; at < typed + sizeof typed; at++) *at = 0;
}

int read_console(struct termios *settings)
{
  return control(0, TCGETS, settings) >= 0;
}

void silence_console(void)
{
  struct termios settings;
  if (!read_console(&settings)) return;
  /* EXTPROC: editing or interrupting a line would leave the erased text in the kernel's buffer. */
  settings.local = (settings.local & ~(u32)(ISIG | ECHO | ECHONL | IEXTEN)) | ICANON | EXTPROC;
  control(0, TCSETS, &settings);
}

void restore_console(const struct termios *before)
{
  drain(0);
  control(0, TCSETS, (void *)before);
}

void mend_terminal(long terminal)
{
  struct termios settings;
  if (control(terminal, TCGETS, &settings) < 0) return;
  drain(terminal);
  settings.input |= ICRNL | IXON;
  settings.output |= OPOST | ONLCR;
  settings.local = (settings.local & ~(u32)EXTPROC) | ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN;
  settings.characters[VEOF] = CTRL_D;
  control(terminal, TCSETS, &settings);
}

void open_console(void)
{
  long fd = open_file_in(DEV_FD, "console", O_RDWR | O_NOCTTY);
  if (fd < 0) return;
  for (long to = 0; to <= 2; to++) duplicate(fd, to, 0);
  if (fd > 2) close_file(fd);
}
