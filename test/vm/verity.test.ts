import { expect } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "../support/cache.ts";
import { signedContent } from "../support/cms-fixture.ts";
import { run } from "../support/command.ts";
import { filesImage } from "../support/disk-images.ts";
import { rootImage, treeImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { mergedRoot } from "../support/merged-root.ts";
import { trustingKernel } from "../support/trusting-kernel.ts";
import { verityFixture } from "../support/verity-fixture.ts";
import { vmTest } from "../support/vm-test.ts";

// Hash trees by the real veritysetup, and the real dm-verity. live-boot's file names: 9990-overlay.sh of live-boot 20230131.

const made = async () => {
  const image = await rootImage("squashfs-zstd");
  return { image, ...(await verityFixture(image)) };
};
const WRONG = "ab".repeat(32);

/** A root and a /usr for it, each with a hash tree, and signatures of the root's. */
async function signedRoot() {
  const root = await made();
  const usr = await treeImage("squashfs-zstd", (await mergedRoot({})).usr);
  return { root, usr, usrTree: await verityFixture(usr), ...(await trustingKernel(root.rootHash)) };
}

vmTest(
  "a root whose hash is signed boots with a verified /usr, and its damaged block is corrected; a wrong hash and signatures by strangers are refused",
  async () => {
    const { root, usr, usrTree, kernel, signature, strangersSignature } = await signedRoot();
    const files = { "/etc/owner.p7s": signature, "/etc/stranger.p7s": strangersSignature };
    const usrWords = `usrhash=${usrTree.rootHash} systemd.verity_usr_data=/dev/vdd systemd.verity_usr_hash=/dev/vde`;
    return {
      ...(await levainGuest({
        image: { files },
        disks: [root.damaged, root.hashes, root.correction, usr, usrTree.hashes],
        cmdline: `root=/dev/vda roothash=${WRONG} rd.verity.hash=/dev/vdb ${usrWords}`,
      })),
      kernel: { file: kernel },
    };
  },
  async (vm) => {
    const { rootHash } = await made();
    await vm.expect("the hash tree on /dev/vdb does not match the root hash");
    const refusals = [
      [`roothash=${rootHash} rd.verity.options=root-hash-signature=base64:AAAA`, "it is malformed"],
      [
        "rd.verity.options=root-hash-signature=/etc/stranger.p7s",
        "no certificate of its trusted keyring has signed it",
      ],
    ] as const;
    for (const [words, why] of refusals) {
      await vm.expect(PROMPT);
      vm.send(`levain retry ${words}\n`);
      await vm.expect(/refused\s+the\s+signature\s+of\s+the\s+root\s+hash\s+of\s+\/dev\/vda/);
      await vm.expect(new RegExp(why.replaceAll(" ", "\\s+")));
    }
    await vm.expect(PROMPT);
    // Without the correction, the damaged block ends the boot: see the next test.
    vm.send("levain retry rd.verity.options=root-hash-signature=/etc/owner.p7s,fec-device=/dev/vdc\n");
    await vm.expect(/root +\/dev\/mapper\/root squashfs in \/dev\/vda squashfs/);
    await vm.expect("small-root: mount / squashfs /dev/mapper/root ro,");
    await vm.expect("small-root: mount /usr squashfs /dev/mapper/usr ro,");
    await vm.expect("small-root: ready");
    vm.send("dmesg | grep -c 'FEC .* corrected'; cat /sys/class/block/dm-*/dm/uuid | sort\n");
    await vm.expect(/^[1-9]\d*\r?\n(?:CRYPT-VERITY-[0-9a-f]{32}-(?:root|usr)\r?\n){2}/m);
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

vmTest(
  "an ISO of Arch Linux is checked by the MD5 in it, its checksum file, a digest and a CMS signature",
  async () => {
    const { medium, certificate } = await checkedIso();
    const checks = `rd.live.check checksum=y cms_verify=y rd.image.digest=sha256:${WRONG}`;
    return levainGuest({
      image: { files: { "/codesign.crt": certificate } },
      disks: [medium],
      cmdline: `archisobasedir=arch archisolabel=LIVE copytoram ${checks}`,
      memoryMib: 768,
    });
  },
  async (vm) => {
    const { sha256 } = await checkedIso();
    await vm.expect(/\/dev\/vda\d? matches the checksum in it/);
    await vm.expect("the medium is damaged: /arch/x86_64/airootfs.sfs");
    await vm.expect("it does not match rd.image.digest=");
    await vm.expect(PROMPT);
    vm.send(`levain retry rd.image.digest=sha256:${sha256}\n`);
    await vm.expect(/layers +\/arch\/x86_64\/airootfs\.sfs \(squashfs, in RAM\) \+ tmpfs at \/sysroot/);
    await vm.expect("small-root: ready");
  },
);

/** A medium as mkarchiso makes it (its README and the hooks of mkinitcpio-archiso), with the checksum of implantisomd5. */
async function checkedIso() {
  const image = await rootImage("squashfs-zstd");
  const bytes = new Uint8Array(readFileSync(image));
  const { plain, certificate } = await signedContent(bytes);
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), image);
  const directory = await cached("verity", key, async (target) => {
    writeFileSync(join(target, "sig"), plain);
    writeFileSync(join(target, "codesign.crt"), certificate);
    const sha512 = createHash("sha512").update(bytes).digest("hex");
    writeFileSync(join(target, "sums"), `${sha512}  airootfs.sfs\n`);
    const at = "/arch/x86_64/airootfs";
    const files = {
      [`${at}.sfs`]: image,
      [`${at}.sfs.cms.sig`]: join(target, "sig"),
      [`${at}.sha512`]: join(target, "sums"),
    };
    await run(["cp", await filesImage("iso9660", files, { label: "LIVE" }), join(target, "iso")]);
    await run(["implantisomd5", join(target, "iso")]);
  });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { medium: join(directory, "iso"), certificate: join(directory, "codesign.crt"), sha256 };
}
