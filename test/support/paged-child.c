/* A program to pack with a compressed runtime: it touches pages in every way that a pager must serve. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 600
#define PAGE 4096

/* Not zero, as pages of zeros are not stored. Page i begins with i, in both. */
#define ROW(n) {n, 1}, {n + 1, 1}, {n + 2, 1}, {n + 3, 1}, {n + 4, 1}, {n + 5, 1}, {n + 6, 1}, {n + 7, 1}, {n + 8, 1}, {n + 9, 1}
#define ROWS(n) ROW(n), ROW(n + 10), ROW(n + 20), ROW(n + 30), ROW(n + 40), ROW(n + 50), ROW(n + 60), ROW(n + 70), ROW(n + 80), ROW(n + 90)
static const int constants[PAGES][PAGE / 4] __attribute__((aligned(PAGE))) = {ROWS(0), ROWS(100), ROWS(200), ROWS(300), ROWS(400), ROWS(500)};
static int variables[PAGES][PAGE / 4] __attribute__((aligned(PAGE))) = {ROWS(0), ROWS(100), ROWS(200), ROWS(300), ROWS(400), ROWS(500)};
static char zeros[64 * PAGE];

static int faults;
#define CHECK(condition) check(condition, #condition)
static void check(int is_right, const char *what)
{
  if (is_right) return;
  printf("wrong: %s\n", what);
  faults++;
}

static int constant(int page) { return ((volatile const int *)constants[page])[0]; }
static int variable(int page) { return ((volatile int *)variables[page])[0]; }

static void check_kernel_accesses(void)
{
  char *all_variables = (char *)variables;
  int ends[2], number = 0, zero = open("/dev/zero", O_RDONLY);
  if (pipe(ends)) exit(1);
  CHECK(write(ends[1], constants[7], 4) == 4 && read(ends[0], &number, 4) == 4 && number == 7);
  CHECK(write(ends[1], variables[7], 4) == 4 && read(ends[0], &number, 4) == 4 && number == 7);
  /* Over the end of a group, and into pages that nothing has touched. */
  CHECK(read(zero, all_variables + 62 * PAGE + 4, 8 * PAGE) == 8 * PAGE && variable(62) == 62 && variable(69) == 0 && variable(71) == 71);
  close(zero);
  close(ends[0]);
  close(ends[1]);
}

static void check_giving_back(void)
{
  CHECK(constant(101) == 101 && variable(101) == 101);
  madvise((void *)constants[100], 3 * PAGE, MADV_DONTNEED);
  variables[101][0] = -1;
  madvise(variables[100], 3 * PAGE, MADV_DONTNEED);
  CHECK(constant(101) == 101 && variable(101) == 101 && variable(102) == 102);
}

/* Splits the mapping inside a group: the pager cannot copy over the border in one piece. */
static void check_protections(void)
{
  CHECK(mprotect(variables[133], 3 * PAGE, PROT_READ) == 0);
  CHECK(variable(134) == 134 && variable(132) == 132 && variable(138) == 138);
  munmap((void *)constants[165], 2 * PAGE);
  CHECK(constant(164) == 164 && constant(167) == 167);
}

static int fork_down(int depth)
{
  int status = 0;
  if (constant(200 + depth * 40) != 200 + depth * 40 || variable(201 + depth * 40) != 201 + depth * 40) return 3;
  variables[202][0] = depth;
  if (depth == 5) return 0;
  pid_t pid = fork();
  if (pid == 0) _exit(fork_down(depth + 1));
  waitpid(pid, &status, 0);
  return status || variable(202) != depth ? 4 : 0;
}

#define CROWD 40
static void check_many_forks(void)
{
  int gate[2], status;
  if (pipe(gate)) exit(1);
  for (int i = 0; i < CROWD; i++)
    if (fork() == 0) {
      char byte;
      close(gate[1]);
      if (read(gate[0], &byte, 1) != 0) _exit(1);
      _exit(constant(450 + i) != 450 + i || variable(490 - i) != 490 - i);
    }
  close(gate[0]);
  close(gate[1]);
  for (int i = 0; i < CROWD; i++) CHECK(wait(&status) > 0 && status == 0);
}

static void *touch_all(void *from)
{
  for (int i = (int)(long)from; i < PAGES; i += 2)
    if ((i < 165 || i > 166) && constant(i) != i) faults++;
  return 0;
}

/* A fork makes the kernel refuse the pager's copies while it lasts. */
static void check_forks_while_faulting(void)
{
  pthread_t threads[2];
  int status;
  for (long i = 0; i < 2; i++) pthread_create(&threads[i], 0, touch_all, (void *)i);
  for (int i = 0; i < 20; i++) {
    pid_t pid = fork();
    if (pid == 0) _exit(constant(599 - i) != 599 - i);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  }
  for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
}

static void check_spawn(void)
{
  char *argv[] = {"/bin/true", 0}, *envp[] = {0};
  pid_t pid;
  int status = -1;
  CHECK(posix_spawn(&pid, argv[0], 0, 0, argv, envp) == 0 && waitpid(pid, &status, 0) == pid && status == 0);
  pid = vfork();
  if (pid == 0) _exit(constant(560) != 560);
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  /* The pager is no child that a program would see. */
  CHECK(wait(&status) < 0 && errno == ECHILD);
}

/* Says that it is there, waits for a line, and touches what was not touched before; `forked`: in a fork. */
static int wait_and_touch(int is_forked)
{
  char line[16];
  pid_t pid = is_forked ? fork() : 0;
  if (pid > 0) return wait(&faults) > 0 ? faults : 1;
  printf("ready %d\n", getpid());
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) return 1;
  for (int i = 0; i < PAGES; i++) {
    if (constant(i) != i || variable(i) != i) return printf("read a wrong page: %d\n", constant(i)), 1;
    usleep(1000);
  }
  puts("all right");
  return 0;
}

int main(int argc, char **argv)
{
  setvbuf(stdout, 0, _IOLBF, 0);
  if (argc > 1 && strcmp(argv[1], "wait") == 0) return wait_and_touch(0);
  if (argc > 1 && strcmp(argv[1], "fork") == 0) return wait_and_touch(1);
  for (unsigned i = 0; i < sizeof zeros; i += 512) faults += zeros[i];
  check_kernel_accesses();
  /* Without a pager, memory that was given back is zero, as other programs' is. */
  if (argc < 2) check_giving_back();
  check_protections();
  CHECK(fork_down(0) == 0);
  check_many_forks();
  check_forks_while_faulting();
  check_spawn();
  puts(faults ? "something was wrong" : "all right");
  return faults != 0;
}
