import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run } from "./command.ts";
import { GUEST, GUEST_ARCHITECTURE } from "./guest-architecture.ts";
import { type Entry, writeTree } from "./initramfs.ts";
import { BUSYBOX, GUEST_BUSYBOX } from "./unpacked-programs.ts";

const CHECK_INIT_SOURCE = join(import.meta.dir, "check-init.c");

// It says where it is, and then is a shell that a test can ask for more.
const INIT_SCRIPT = `#!/bin/sh
echo "small-root: init is $0, PID $$, arguments: $*"
[ -r /proc/mounts ] || { echo "small-root: nobody mounted /proc"; mount -t proc proc /proc; }
while read -r source target type options rest; do
  echo "small-root: mount $target $type $source $options"
done < /proc/mounts
echo "small-root: ready"
exec setsid cttyhack /bin/sh -i
`;

const BASE: Readonly<Record<string, Entry>> = {
  "/bin/busybox": { file: GUEST_BUSYBOX },
  "/sbin/init": { text: INIT_SCRIPT },
  "/etc/passwd": { text: "root::0:0:root:/root:/bin/sh\n", mode: 0o644 },
  "/etc/group": { text: "root:x:0:\n", mode: 0o644 },
  "/etc/os-release": { text: 'ID=small-root\nPRETTY_NAME="Small root"\n', mode: 0o644 },
  "/root": { directory: true },
  "/dev": { directory: true },
  "/proc": { directory: true },
  "/sys": { directory: true },
  "/run": { directory: true },
  "/tmp": { directory: true },
  "/mnt": { directory: true },
  "/initrd": { directory: true },
};

/** What a small root has besides, or (null) has not; by absolute path. */
export type RootChanges = Readonly<Record<string, Entry | null>>;

/**
 * A small real root tree: BusyBox with all its applets, and an /sbin/init that prints "small-root: …" lines and becomes
 * a shell on the console. /sbin/check-init is check-init.c, compiled static. Returns the directory.
 */
export async function smallRoot(changes: RootChanges = {}): Promise<string> {
  const key = recipeKey(
    readFileSync(import.meta.path, "utf8"),
    changesKey(changes),
    readFileSync(CHECK_INIT_SOURCE, "utf8"),
    GUEST_ARCHITECTURE,
  );
  const directory = await cached("roots", key, async (target) => {
    const entries = { ...(await appletLinks()), ...BASE, ...(await checkInit()), ...changes };
    const present = Object.entries(entries).filter((pair): pair is [string, Entry] => pair[1] !== null);
    writeTree(join(target, "tree"), Object.fromEntries(present));
  });
  return join(directory, "tree");
}

/** Stands for these changes with the content of the host files they name. */
export function changesKey(changes: RootChanges): string {
  const files = Object.values(changes).flatMap((entry) => (entry !== null && "file" in entry ? [entry.file] : []));
  return recipeKey(
    changes,
    files.map((file) => Bun.hash(readFileSync(file)).toString(16)),
  );
}

async function appletLinks(): Promise<Record<string, Entry>> {
  const applets = (await run([BUSYBOX, "--list-full"])).trim().split("\n");
  const links = applets
    .filter((path) => path !== "bin/busybox")
    .map((path) => [`/${path}`, { link: "/bin/busybox" }] as const);
  return Object.fromEntries(links);
}

async function checkInit(): Promise<Record<string, Entry>> {
  const key = recipeKey(readFileSync(CHECK_INIT_SOURCE, "utf8"), GUEST.compiler);
  const directory = await cached("check-init", key, async (target) => {
    await run([GUEST.compiler, "-static", "-O1", "-Wall", "-o", join(target, "check-init"), CHECK_INIT_SOURCE]);
  });
  return { "/sbin/check-init": { file: join(directory, "check-init") } };
}
