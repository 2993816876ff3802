import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";
import { TRUSTED_SIGNATURE } from "../support/fake-verity-target.ts";
import { cryptBoot } from "../support/luks/encrypted-disk.ts";
import { damaged, verityDisk } from "../support/verity-disk.ts";

// Whole boots from image files that dm-verity verifies. live-boot's names are those of 9990-overlay.sh in live-boot 20230131.

const disk = verityDisk(rootImage("IMAGE"));
const HASH = disk.rootHash;
const IMAGE = "/live/filesystem.ext4";
const TREE = { [IMAGE]: disk.data.bytes, [`${IMAGE}.verity`]: disk.hashes.bytes };

function boot(cmdline: string, files: FakeTree, more: FakeBootOptions = {}): ReturnType<typeof cryptBoot> {
  const medium = fakeImage("vfat", { label: "MEDIUM" }, files);
  return cryptBoot({ cmdline, images: [disk.data], disks: [{ name: "vda", image: medium }], ...more });
}

const unwrapped = ({ console }: ReturnType<typeof cryptBoot>) => console.replaceAll(/\s+/g, " ");
const maps = ({ journal }: ReturnType<typeof cryptBoot>) => journal.filter((line) => /^(?:un)?map /.test(line));
const BY_IMAGE = "root=LABEL=MEDIUM rd.image=/live/filesystem.ext4 rd.overlay=0 rdshell=0";

describe("a verified image", () => {
  test.each([
    ["of rd.image=", `${BY_IMAGE} roothash=${HASH}`],
    ["by its name", `${BY_IMAGE} rd.verity.image=filesystem.ext4:${HASH}`],
    ["of live-boot", `boot=live rd.overlay=0 dm-verity-root-hash=filesystem.ext4:${HASH}`],
    ["with another tree", `${BY_IMAGE} roothash=${HASH} rd.verity.hash=/trees/one`],
  ])("is mounted: %s", (_, cmdline) => {
    const result = boot(cmdline, { ...TREE, "/trees/one": disk.hashes.bytes });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.mounts).toContain("/sysroot ext4 /dev/mapper/verity-sysroot");
    expect(unwrapped(result)).toContain("/live/filesystem.ext4 (ext4, verified) at /sysroot");
    expect(maps(result)).toEqual([expect.stringContaining("map verity-sysroot as CRYPT-VERITY-")]);
  });

  test("may have its tree in the same file", () => {
    const cmdline = `${BY_IMAGE} roothash=${HASH} rd.verity.options=hash-offset=${disk.offset}`;
    const result = boot(cmdline, { [IMAGE]: disk.joined.bytes });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.mounts).toContain("/sysroot ext4 /dev/mapper/verity-sysroot");
  });

  test("is verified while it is copied, and needs no mapping afterwards", () => {
    const result = boot(`${BY_IMAGE} roothash=${HASH} rd.live.ram`, TREE);
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.journal).toContain("copy /dev/mapper/verity-sysroot to /run/levain/ram/filesystem.ext4");
    expect(maps(result)).toEqual([expect.stringContaining("map verity-sysroot"), "unmap verity-sysroot"]);
    expect(unwrapped(result)).toContain("(ext4, verified, in RAM)");
    expect(result.journal).toContain("unmount /run/levain/medium");
  });

  test("of live-boot has its hash beside it: that finds damage", () => {
    const files = { ...TREE, [`${IMAGE}.roothash`]: `${HASH}\n` };
    expect(unwrapped(boot("boot=live rd.overlay=0", files))).toContain("(ext4, verified)");
    const bad = boot("boot=live rdshell=0", { ...files, [IMAGE]: damaged(disk.data, 7).bytes });
    expect(unwrapped(bad)).toContain("the data on /live/filesystem.ext4 do not match the hash tree");
    expect(bad.end).toBe("halt");
    const none = boot("boot=live rd.overlay=0", TREE);
    expect(unwrapped(none)).toContain(
      "filesystem.ext4.verity is not used: there is no root hash; the image is not verified",
    );
    expect(none.end).toMatchObject({ mode: "switch_root" });
  });

  test("may lie on a medium that is verified itself", () => {
    const medium = verityDisk(fakeImage("vfat", { label: "MEDIUM" }, { [IMAGE]: disk.data.bytes }));
    const partitions = [{ image: medium.data }, { image: medium.hashes }];
    const extra = { name: "vdb", image: rootImage("EXTRA") };
    const cmdline = `${BY_IMAGE} roothash=${medium.rootHash} rd.verity.data=LABEL=MEDIUM`;
    const images = [disk.data, medium.data];
    const go = (more: string) => boot(`${cmdline}${more}`, {}, { images, disks: [{ name: "vda", partitions }, extra] });
    const result = go("");
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.mounts).toContain("/sysroot/run/levain/medium vfat /dev/mapper/root");
    expect(unwrapped(go(" rd.layer=LABEL=EXTRA"))).toContain("nothing verifies it");
  });

  test("may have a signature beside it", () => {
    const signed = { ...TREE, [`${IMAGE}.roothash`]: HASH, [`${IMAGE}.roothash.p7s`]: TRUSTED_SIGNATURE };
    const cmdline = "boot=live rd.overlay=0 rdshell=0 dm-verity-enforce-roothash-signature";
    expect(boot(cmdline, signed).end).toMatchObject({ mode: "switch_root" });
    for (const missing of [".verity", ".roothash", ".roothash.p7s"]) {
      const files = Object.fromEntries(Object.entries(signed).filter(([path]) => path !== `${IMAGE}${missing}`));
      expect(boot(cmdline, files).end).toBe("halt");
    }
    expect(boot(cmdline, { ...signed, [`${IMAGE}.roothash.p7s`]: "no" }).end).toBe("halt");
  });
});

describe("no image boots unverified", () => {
  test.each([
    ["with a wrong hash", BY_IMAGE, TREE, "ab".repeat(32), "the hash tree on the hash tree of /live/filesystem.ext4"],
    ["without a tree", BY_IMAGE, { [IMAGE]: disk.data.bytes }, HASH, "has no hash tree /live/filesystem.ext4.verity"],
    [
      "with a tree that is cut off",
      BY_IMAGE,
      { ...TREE, [`${IMAGE}.verity`]: disk.hashes.bytes.subarray(0, 4096) },
      HASH,
      "is too short: 4096 of 8192 bytes are there",
    ],
    [
      "with a layer that has no hash",
      `${BY_IMAGE} rd.layer=/extra.ext4`,
      { ...TREE, "/extra.ext4": disk.data.bytes },
      HASH,
      "no root hash is given for /extra.ext4",
    ],
    ["that is a directory", "boot=live rdshell=0", { "/live/a.dir/sbin/init": "x" }, HASH, "nothing verifies it"],
    [
      "of several without names",
      "boot=live rdshell=0",
      { ...TREE, "/live/b.ext4": disk.data.bytes },
      HASH,
      "no root hash is given for /live/b.ext4",
    ],
  ])("%s", (_, cmdline, files, hash, words) => {
    const result = boot(`${cmdline} roothash=${hash}`, files);
    expect(unwrapped(result)).toContain(words);
    expect(result.end).toBe("halt");
    expect(result.mounts).toEqual([]);
  });

  test("a layer on a device is outside", () => {
    const extra = { name: "vdb", image: rootImage("EXTRA") };
    const medium = { name: "vda", image: fakeImage("vfat", { label: "MEDIUM" }, TREE) };
    const result = boot(`${BY_IMAGE} roothash=${HASH} rd.layer=LABEL=EXTRA`, {}, { disks: [medium, extra] });
    expect(unwrapped(result)).toContain("/dev/vdb would be a part of the verified root, but nothing verifies it");
  });

  const damage = { kernelLog: ["device-mapper: verity: 7:0: data block 3 is corrupted"] };
  test("a block that is damaged is named, where the mount finds it and where the copy does", () => {
    const before = (call: "mount" | "copyFile"): FakeBootOptions => ({
      before: (machine) => machine.refuse(call, "/dev/mapper/verity", "EIO", damage),
    });
    const words = "the medium is damaged: /live/filesystem.ext4 at byte 12288";
    const mounted = boot(`${BY_IMAGE} roothash=${HASH}`, TREE, before("mount"));
    expect(unwrapped(mounted)).toContain(words);
    const copied = boot(`${BY_IMAGE} roothash=${HASH} rd.live.ram`, TREE, before("copyFile"));
    expect(unwrapped(copied)).toContain(words);
    expect([mounted.end, copied.end]).toEqual(["halt", "halt"]);
    expect(maps(copied).at(-1)).toBe("unmap verity-sysroot");
  });

  test.each([
    [`root=LABEL=MEDIUM rd.verity.image=a:${HASH}`, "rd.verity.image=: the root is no image file"],
    [`root=LABEL=MEDIUM roothash=${HASH} rd.verity.hash=/a.verity`, "rd.verity.hash=: Expected a device"],
    [`${BY_IMAGE} roothash=${HASH} rd.verity.hash=/dev/vdb`, "Expected a path on the medium"],
    [`root=/dev/ram0 roothash=${HASH}`, "the initramfs is the root, so nothing would be verified"],
    ["root=LABEL=MEDIUM roothash=abcd", "Expected a root hash: 32 to 128 hexadecimal digits"],
    [`root=LABEL=MEDIUM roothash=${HASH} rd.verity.options=hash-offset=5`, "hash-offset= as a multiple of 512"],
    [`root=LABEL=MEDIUM roothash=${HASH} rd.verity.options=often`, "an option of veritytab(5), not often"],
  ])("parameters that contradict: %s", (cmdline, words) => {
    const result = boot(cmdline, TREE);
    expect(unwrapped(result)).toContain(words);
    expect(result.shells).toBe(cmdline.includes("rdshell=0") ? 0 : 1);
  });
});
