import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { rootImage, treeImage } from "../support/filesystem-images.ts";
import { writeTree } from "../support/initramfs.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const disk = { data: "" };

async function dataDisk(): Promise<string> {
  const tree = scratchDirectory();
  writeTree(tree, {
    "/upper/etc/earlier": { text: "earlier\n", mode: 0o644 },
    "/upper/etc/removed": { text: "removed\n", mode: 0o644 },
    "/work": { directory: true },
  });
  const copy = join(scratchDirectory(), "data");
  copyDisk(await treeImage("ext4", tree, { label: "DATA" }, 16), copy);
  disk.data = copy;
  return copy;
}

/** What a power failure leaves, which the kernel tells by a flag: a journal that was not replayed. */
async function uncleanDisk(): Promise<string> {
  const tree = scratchDirectory();
  writeTree(tree, { "/mnt/upper": { directory: true }, "/mnt/work": { directory: true } });
  const copy = join(scratchDirectory(), "unclean");
  copyDisk(await treeImage("ext4", tree, { label: "UNCLEAN" }, 16), copy);
  await run(["debugfs", "-w", "-R", "feature needs_recovery", copy]);
  return copy;
}

vmTest(
  "changes in memory are written to the layer below by levain sync, and the exit program leaves it clean",
  async () =>
    levainGuest({
      disks: [
        await rootImage("squashfs-zstd", { label: "ROOT" }),
        { file: await dataDisk(), keepsWrites: true },
        await uncleanDisk(),
      ],
      cmdline: "root=/dev/vda rd.overlay=LABEL=DATA rd.overlay.readonly rd.command rd.union=/mnt:size=9M:LABEL=UNCLEAN",
      memoryMib: 768,
    }),
  async (vm) => {
    await vm.expect(/\/dev\/vdc was not unmounted[^:]*:[\s\S]*levain sync cannot write there/);
    await vm.expect("small-root: ready");
    vm.send(
      "cd /etc; cat earlier; echo new > new; rm removed hostname issue passwd; echo late > /mnt/late; PATH=$PATH:/run/levain/bin\n",
    );
    await vm.expect("earlier\n");
    vm.send("levain sync --dry-run; echo dry-$?\n");
    await vm.expect(/write +\/etc\/new/);
    await vm.expect(/write +\/mnt\/late/);
    await vm.expect("dry-0");
    vm.send("touch /run/levain/store/upper/x; levain sync /etc; echo sync-$?\n");
    await vm.expect("Read-only file system");
    await vm.expect(/\n\/: \d+ changes written to the persistent layer/);
    await vm.expect("sync-0");
    vm.send("levain sync /mnt; echo unclean-$?\n");
    await vm.expect("this boot has not replayed its journal");
    await vm.expect("unclean-1");
    vm.send("levain sync / --json; levain factory-reset --keep /etc/new; echo reset-$?\n");
    await vm.expect(/"synced": \[\s+\{\s+"path": "\/",\s+"changes": 0,/);
    await vm.expect("/: the persistent layer will be emptied at the next boot");
    await vm.expect("this boot has not replayed its journal");
    await vm.expect("reset-1");
    vm.send("grep store /proc/mounts; /run/initramfs/shutdown poweroff\n");
    await vm.expect(/\/run\/levain\/store ext4 ro/);
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
    await run(["e2fsck", "-fn", disk.data]);
    const show = (command: string) => run(["debugfs", "-R", command, disk.data]);
    expect(await show("cat /upper/etc/new")).toBe("new\n");
    expect(await show("cat /upper/etc/earlier")).toBe("earlier\n");
    // The base has passwd, but not the other.
    expect(await show("stat /upper/etc/passwd")).toContain("Type: character special");
    expect(await show("ls /upper/etc")).not.toContain("removed");
    expect(await show("cat /.levain-upper/reset")).toBe('{"version":1,"keep":["etc/new"]}');
  },
);
