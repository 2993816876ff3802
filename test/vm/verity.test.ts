import { expect } from "bun:test";
import { filesImage } from "../support/disk-images.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { verityFixture } from "../support/verity-fixture.ts";
import { vmTest } from "../support/vm-test.ts";

// Hash trees by the real veritysetup, and the real dm-verity. live-boot's file names: 9990-overlay.sh of live-boot 20230131.

const made = async () => {
  const image = await rootImage("squashfs-zstd");
  return { image, ...(await verityFixture(image)) };
};
const WRONG = "ab".repeat(32);

vmTest(
  "a verified root boots by its root hash; a wrong hash and a signature by a stranger are refused",
  async () => {
    const { image, hashes } = await made();
    return levainGuest({ disks: [image, hashes], cmdline: `root=/dev/vda roothash=${WRONG} rd.verity.hash=/dev/vdb` });
  },
  async (vm) => {
    const { rootHash } = await made();
    await vm.expect("the hash tree on /dev/vdb does not match the root hash");
    await vm.expect(PROMPT);
    vm.send(`levain retry roothash=${rootHash} rd.verity.options=root-hash-signature=base64:AAAA\n`);
    await vm.expect(/refused\s+the\s+signature\s+of\s+the\s+root\s+hash\s+of\s+\/dev\/vda/);
    await vm.expect(PROMPT);
    vm.send("levain retry rd.verity.options=root-hash-signature=\n");
    await vm.expect(/root +\/dev\/mapper\/root squashfs in \/dev\/vda squashfs/);
    await vm.expect("small-root: mount / squashfs /dev/mapper/root ro,");
    await vm.expect("small-root: ready");
    vm.send("cat /sys/class/block/dm-0/dm/uuid\n");
    await vm.expect(/^CRYPT-VERITY-[0-9a-f]{32}-root$/m);
  },
);

vmTest(
  "a damaged block of an image is named, in the copy and on the medium; the whole one boots from its copy",
  async () => {
    const { image, damaged, hashes, rootHashFile } = await made();
    const beside = (directory: string, file: string) => ({
      [`${directory}/filesystem.squashfs`]: file,
      [`${directory}/filesystem.squashfs.verity`]: hashes,
      [`${directory}/filesystem.squashfs.roothash`]: rootHashFile,
    });
    const medium = await filesImage(
      "iso9660",
      { ...beside("/live", damaged), ...beside("/good", image) },
      { label: "LIVE" },
    );
    return levainGuest({ disks: [medium], cmdline: "boot=live toram", memoryMib: 768 });
  },
  async (vm) => {
    const { damagedAt } = await made();
    await vm.expect(`the medium is damaged: /live/filesystem.squashfs at byte ${damagedAt}`);
    await vm.expect(PROMPT);
    vm.send("levain retry live-media-path=good rd.overlay=0\n");
    await vm.expect(/layers +\/good\/filesystem\.squashfs \(squashfs, verified, in RAM\) at \/sysroot/);
    await vm.expect("small-root: ready");
    vm.send("ls /sys/class/block | grep -c dm-; cat /proc/mounts | grep -c medium\n");
    await vm.expect(/^0\r?\n0\r?$/m);
    expect(vm.log()).not.toContain("mount /run/levain/medium");
  },
);
