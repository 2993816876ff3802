import { expect, test } from "bun:test";
import { AARCH64, X86_64 } from "../../../build/stage0/link.ts";
import { SYSTEM_CALLS } from "../../../src/machine/abi/calls.ts";
import * as child from "../../../src/machine/abi/child.ts";
import * as general from "../../../src/machine/abi/constants.ts";
import * as crypt from "../../../src/machine/abi/crypt.ts";
import * as terminal from "../../../src/machine/abi/terminal.ts";
import * as trees from "../../../src/machine/abi/trees.ts";
import { runScript } from "../../support/command.ts";

const HEADERS = `
#define _GNU_SOURCE
#include <stddef.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <asm/termbits.h>
#include <asm/ioctls.h>
#include <linux/btrfs.h>
#include <linux/cdrom.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/if_alg.h>
#include <linux/kd.h>
#include <linux/keyctl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/raid/md_u.h>
#include <linux/reboot.h>
#include <linux/utsname.h>
`;

/** What the headers call the structures whose sizes are written down, if it is not their name in lower case. */
const STRUCTURES: Readonly<Record<string, string>> = {
  BTRFS_IOCTL_VOL_ARGS: "struct btrfs_ioctl_vol_args",
  MDU_ARRAY_INFO: "mdu_array_info_t",
  MDU_DISK_INFO: "mdu_disk_info_t",
  SOCKADDR_ALG: "struct sockaddr_alg",
};

/** A number that only headers since Linux 6.3 have, and what is checked otherwise. */
const ELSEWHERE = new Set([
  "MFD_NOEXEC_SEAL",
  "SIGSET_SIZE",
  "POSIX_SPAWN_STRUCT_SIZE",
  "STATFS_WORDS",
  "STATFS_FLAGS_WORD",
]);
const GLIBC = `
EQUAL(sizeof(sigset_t), ${child.SIGSET_SIZE})
_Static_assert(sizeof(posix_spawnattr_t) <= ${child.POSIX_SPAWN_STRUCT_SIZE}, "attributes");
_Static_assert(sizeof(posix_spawn_file_actions_t) <= ${child.POSIX_SPAWN_STRUCT_SIZE}, "actions");
EQUAL(sizeof(struct statfs), 8 * ${trees.STATFS_WORDS})
EQUAL(offsetof(struct statfs, f_flags), 8 * ${trees.STATFS_FLAGS_WORD})
`;

/** A check for every number and every size. */
function checks(column: 0 | 1): string {
  const calls = Object.entries(SYSTEM_CALLS).map(([name, numbers]) => `EQUAL(SYS_${name}, ${numbers[column]})`);
  const flags = Object.entries(trees.OPEN_FLAGS).map(([name, numbers]) => `EQUAL(${name}, ${numbers[column]})`);
  const constants = [child, general, crypt, terminal, trees].flatMap((module) => Object.entries(module));
  const others = constants.flatMap(([name, value]) => {
    if (name in trees.OPEN_FLAGS || ELSEWHERE.has(name)) return [];
    if (typeof value === "number" || typeof value === "bigint") return [`EQUAL(${name}, ${value})`];
    return typeof value === "object" && "size" in value ? [`EQUAL(sizeof(${structure(name)}), ${value.size})`] : [];
  });
  return [...calls, ...flags, ...others, GLIBC].join("\n");
}

const structure = (name: string) => STRUCTURES[name] ?? `struct ${name.toLowerCase()}`;

for (const [column, target] of [X86_64, AARCH64].entries()) {
  test(`the kernel's numbers and the sizes of its structures are those of its headers on ${target.name}`, async () => {
    const source = `${HEADERS}\n#define EQUAL(a, b) _Static_assert((unsigned)(a) == (unsigned)(b), #a);\n${checks(column === 1 ? 1 : 0)}`;
    expect(await runScript('printf %s "$2" | "$1" -x c -fsyntax-only - 2>&1', [target.compiler, source])).toBe("");
  });
}
