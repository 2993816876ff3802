import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { keyFile } from "../support/encrypted-volumes.ts";
import { integrityDisks } from "../support/integrity-disks.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

vmTest(
  "a root on a mirror of devices with checksums: one that a parameter names, one with a key that integritytab of the image names",
  async () => {
    const table = join(scratchDirectory(), "integritytab");
    writeFileSync(table, "keyed /dev/vdb /etc/key\n");
    const files = { "/etc/integritytab": table, "/etc/key": await keyFile() };
    return levainGuest({
      disks: (await integrityDisks()).map((file) => ({ file })),
      cmdline: "root=LABEL=CHECKED rw rd.integrity=plain:/dev/vda,journal-commit-time=500",
      image: { files },
    });
  },
  async (vm) => {
    await vm.expect(
      /^ {2}root +\/dev\/md0 ext4 "CHECKED" in \/dev\/mapper\/keyed\s+linux_raid_member in \/dev\/vdb DM_integrity/m,
    );
    await vm.expect(/small-root: mount \/ ext4 \/dev\/md0 rw/);
    await vm.expect("small-root: ready");
    vm.send("cat /sys/block/dm-*/dm/uuid | sort; cat /sys/block/md*/md/degraded; echo all-$((40 + 2))\n");
    await vm.expect(/\nCRYPT-INTEGRITY-keyed\nCRYPT-INTEGRITY-plain\n0\nall-42/);
    expect(vm.log()).not.toContain("is not opened");
  },
);
