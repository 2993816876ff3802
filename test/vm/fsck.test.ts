import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

/** A root of ext4 that debugfs(8) has broken, and marked as in need of a check. */
async function brokenRoot(request: string): Promise<string> {
  const file = join(scratchDirectory(), "root");
  copyDisk(await rootImage("ext4", { label: "ROOT" }), file);
  for (const command of [request, "set_super_value state 2"]) await run(["debugfs", "-w", "-R", command, file]);
  return file;
}

vmTest(
  "the image's own e2fsck: what it does not repair is not mounted, and its messages are shown; it repairs another root before it is mounted; fsck.repair=yes repairs the rest; a checker that is a script finds a /bin/sh, though the image does not contain one",
  async () => {
    const script = join(scratchDirectory(), "fsck");
    writeFileSync(script, '#!/bin/sh\necho "script checks $2 with $0"\nexit 1\n', { mode: 0o755 });
    return levainGuest({
      image: { words: ["--program", "/sbin/fsck.ext4"], files: { "/sbin/fsck.ext2": script } },
      disks: [
        await brokenRoot("set_inode_field <2> mode 0100644"),
        await brokenRoot("set_super_value free_blocks_count 7"),
        await rootImage("ext2", { label: "OTHER" }),
      ],
      cmdline: "root=/dev/vda init=/none",
    });
  },
  async (vm) => {
    await vm.expect("the filesystem on /dev/vda has errors that fsck does not repair automatically");
    await vm.expect("\n  ROOT: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n  (i.e., without -a or -p options)\n");
    await vm.expect(
      /hint: run `\/sbin\/fsck\.ext4 \/dev\/vda`, then `levain retry`[\s\S]*repair the\s+filesystem on another machine/,
    );
    await vm.expect(PROMPT);
    expect(vm.log()).not.toMatch(/^ {2}mount /m);

    vm.send("levain retry root=/dev/vdb\n");
    await vm.expect(/warning +fsck repaired \/dev\/vdb: [\s\S]*ROOT: [\s\S]* files [\s\S]* blocks/);
    await vm.expect("the root's init /none cannot be started");
    await vm.expect(PROMPT);

    vm.send("levain retry root=/dev/vda fsck.repair=yes\n");
    await vm.expect(/warning +fsck repaired \/dev\/vda: [\s\S]*ROOT: [\s\S]* files [\s\S]* blocks/);
    await vm.expect(/^ {2}mount /m);
    await vm.expect(PROMPT);

    vm.send("levain retry root=/dev/vdc init=/sbin/init\n");
    await vm.expect(/warning +fsck repaired \/dev\/vdc: script checks \/dev\/vdc with \/sbin\/fsck\.ext2/);
    await vm.expect("small-root: ready");
  },
);
