// libcryptsetup gives Argon2 no more lanes than there are processors, which it asks sysconf(3) for.
const SHIM = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
long sysconf(int name)
{
  return name == _SC_NPROCESSORS_ONLN ? 4 : ((long (*)(int))dlsym(RTLD_NEXT, "sysconf"))(name);
}`;

/** Lines of a shell script in whose directory the next programs find four processors, however many there are. */
export const FOUR_PROCESSORS = `cc -shared -fPIC -x c -o four-processors.so - <<'END'
${SHIM}
END
export LD_PRELOAD=$PWD/four-processors.so
`;
