import { readFileSync } from "node:fs";
import { join } from "node:path";
import { btrfsPool } from "../support/btrfs-pool.ts";
import { cached, recipeKey } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

/** An ext4 root with one more feature in its superblock, as debugfs(8) calls it. */
async function ext4With(feature: string, label: string): Promise<string> {
  const image = await rootImage("ext4", { label });
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), image, feature);
  const directory = await cached("ext4-features", key, async (target) => {
    copyDisk(image, join(target, "disk"));
    await run(["/sbin/debugfs", "-w", "-R", `feature ${feature}`, join(target, "disk")]);
  });
  return join(directory, "disk");
}

// One guest for all: the words are the kernel's, and every cause leads to what boots.
vmTest(
  "a refused mount and a missing init are explained by their cause: subvolumes of btrfs, features and journal of ext4",
  async () => {
    const [btrfs = ""] = await btrfsPool("ONE");
    return levainGuest({
      disks: [
        btrfs,
        await ext4With("FEATURE_I20", "FUTURE"),
        { file: await ext4With("needs_recovery", "LOCKED"), readOnly: true },
      ],
      cmdline: "root=LABEL=ONE rootflags=subvol=@ rd.timeout=900",
    });
  },
  async (vm) => {
    const retry = async (parameters: string) => {
      await vm.expect(PROMPT);
      vm.send(`levain retry ${parameters}\n`);
    };
    await vm.expect("btrfs: it has no subvolume @; it has @root (ENOENT)");
    await vm.expect("`levain retry rootflags=subvol=@root`");
    await retry("rootflags=noatime");
    await vm.expect("the root has no init");
    await vm.expect("an init is in the subvolume @root");
    await vm.expect("hint: name the subvolume: rootflags=subvol=@root");
    await retry("root=LABEL=FUTURE");
    await vm.expect("ext4: it has features that this kernel does not know: bit 20 (EINVAL)");
    await vm.expect("hint: use a newer kernel");
    await retry("root=LABEL=LOCKED");
    await vm.expect(/ext4: its journal has to be replayed, and the device is\s+write-protected\s+\(EROFS\)/);
    await vm.expect(/add\s+noload\s+to\s+rootflags=/);
    await retry("root=LABEL=LOCKED rootflags=noload");
    await vm.expect("small-root: ready");
  },
);
