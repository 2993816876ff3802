/*
 * What the kernel of a test starts: becomes /levain, or /init where there is none, watched by a child that lets no mount of devtmpfs through, as on a kernel that
 * was built without it (Debian's are not). x86-64 only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_devtmpfs(const struct __ptrace_syscall_info *info)
{
  char type[9] = "";
  struct iovec here = {type, 8}, there = {(void *)info->entry.args[2], 8};
  if (info->entry.nr != SYS_mount) return 0;
  process_vm_readv(1, &here, 1, &there, 1, 0);
  return !strcmp(type, "devtmpfs");
}

/* At its entry the call becomes one that does not exist; at its exit that one's ENOSYS becomes ENODEV. */
static void look_at_call(int *refused)
{
  struct __ptrace_syscall_info info;
  struct user_regs_struct registers;
  ptrace(PTRACE_GET_SYSCALL_INFO, 1, sizeof info, &info);
  int is_entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
  if (is_entry) *refused = is_devtmpfs(&info);
  if (!*refused) return;
  ptrace(PTRACE_GETREGS, 1, NULL, &registers);
  if (is_entry) registers.orig_rax = ~0ull;
  else registers.rax = -ENODEV;
  ptrace(PTRACE_SETREGS, 1, NULL, &registers);
}

static void watch(int ready)
{
  int status, refused = 0;
  if (ptrace(PTRACE_SEIZE, 1, NULL, PTRACE_O_TRACESYSGOOD) < 0) perror("no-devtmpfs: ptrace");
  ptrace(PTRACE_INTERRUPT, 1, NULL, NULL);
  write(ready, "x", 1);
  while (waitpid(1, &status, __WALL) == 1 && WIFSTOPPED(status)) {
    int is_call = WSTOPSIG(status) == (SIGTRAP | 0x80), is_event = status >> 16;
    if (is_call) look_at_call(&refused);
    ptrace(PTRACE_SYSCALL, 1, NULL, (long)(is_call || is_event ? 0 : WSTOPSIG(status)));
  }
}

int main(int argc, char **argv)
{
  int ready[2];
  char byte;
  (void)argc;
  if (pipe2(ready, O_CLOEXEC) < 0) return 1;
  if (fork() == 0) {
    watch(ready[1]);
    _exit(1);
  }
  while (read(ready[0], &byte, 1) != 1) {
  }
  execv("/levain", argv);
  execv("/init", argv);
  perror("/init");
  return 1;
}
