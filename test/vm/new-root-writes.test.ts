import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { Vm } from "../support/qemu.ts";
import type { RootChanges } from "../support/root-tree.ts";
import { vmTest } from "../support/vm-test.ts";

// Roots whose API directories lead elsewhere: nothing that levain writes may get there.

const MARK = "this disk belongs to somebody else";

/** vdb, whose first bytes nobody may change. */
function victim(): string {
  const file = join(scratchDirectory(), "victim");
  const bytes = Buffer.alloc(1 << 20);
  for (let at = 0; at < bytes.length; at += 4096) bytes.write(MARK, at);
  writeFileSync(file, bytes);
  return file;
}

async function guest(changes: RootChanges, cmdline = "", type: "ext4" | "squashfs-lz4" = "squashfs-lz4") {
  return levainGuest({
    disks: [await rootImage(type, {}, changes), victim()],
    cmdline: `root=/dev/vda ${cmdline}`,
  });
}

/** Nothing of vdb has changed; the root may have no /dev or /proc. */
async function expectUntouched(vm: Vm): Promise<void> {
  vm.send(
    "mount -t tmpfs none /mnt; mknod /mnt/vdb b 254 16; grep -c ^ /mnt/vdb; grep -ao 'this disk belongs' /mnt/vdb | wc -l\n",
  );
  await vm.expect(/^256$/m);
}

// /sysroot/dev is where the devices are by then, seen from outside of the new root. More of them are in test/boot/mounting.test.ts, and
// what the kernel does with links is in test/contract/moves.ts.
const CASES: readonly [string, RootChanges, lacking: string[], mounted: string[]][] = [
  [
    "/run and /proc are links to a tree with links to a disk in it",
    {
      "/run": { link: "evil" },
      "/proc": { link: "evil" },
      "/evil/levain/boot.json": { link: "/sysroot/dev/vdb" },
      "/evil/sys/kernel/printk": { link: "/sysroot/dev/vdb" },
    },
    ["run", "proc"],
    // The root's own init mounts proc at the link.
    ["/", "/dev", "/evil", "/sys"],
  ],
  [
    "/run is a pipe, and /dev and /sys are links out of the root",
    { "/run": { pipe: true }, "/dev": { link: "../../etc" }, "/sys": { link: "/proc" } },
    ["run", "dev", "sys"],
    ["/", "/proc"],
  ],
];

for (const [what, changes, lacking, mounted] of CASES) {
  vmTest(
    `${what}: nothing is written there`,
    () => guest(changes),
    async (vm) => {
      await vm.expect("small-root: ready");
      for (const name of lacking)
        expect(vm.log()).toMatch(new RegExp(`warning +the new root has no directory /${name}`));
      const places = [...vm.log().matchAll(/^small-root: mount (\S+)/gm)].map(([, place]) => place);
      expect(places.sort()).toEqual(mounted);
      await expectUntouched(vm);
    },
  );
}

vmTest(
  "/dev is a link to a tree with a file called console: the real init speaks on the console, and not into the file",
  () =>
    guest(
      {
        "/dev": { link: "evil" },
        "/evil/console": { text: "" },
        "/evil/kmsg": { text: "" },
        "/sbin/init": { text: "#!/bin/sh\necho console-file-of-$(wc -c < /evil/console)-bytes\nexec sleep 1000\n" },
      },
      "rw",
      "ext4",
    ),
  async (vm) => {
    await vm.expect("console-file-of-0-bytes");
    expect(vm.log()).toMatch(/warning +the new root has no directory \/dev/);
  },
);
