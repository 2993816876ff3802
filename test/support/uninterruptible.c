/* A process that no signal but SIGKILL reaches, as one whose disk hangs: it waits in the kernel for its child, which shares its memory. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
  if (vfork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  return 0;
}
