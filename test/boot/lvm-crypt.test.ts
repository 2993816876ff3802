import { beforeAll, expect, test } from "bun:test";
import { rootImage } from "../support/fake-boot.ts";
import type { FakeImage } from "../support/fake-images.ts";
import { EXTENT_BYTES, extentsOf, type FakeGroup, fakeId, fakePhysicalVolume, groupText } from "../support/fake-lvm.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// LVM in LUKS, and LUKS in LVM.

const UUID = "6c657661-696e-4000-8000-0000000000f1";
const small = rootImage();
const EXTENTS = Math.max(4, extentsOf(small.bytes));
const root = { ...small, bytes: Buffer.concat([small.bytes], EXTENTS * EXTENT_BYTES) };
const groupOf = (extents: number, change: Partial<FakeGroup> = {}): FakeGroup => ({
  members: { pv0: fakeId("a") },
  volumes: { root: { segments: [{ on: "pv0", from: 0, extents }] } },
  ...change,
});
const physical = (data: Uint8Array, group: FakeGroup, id = fakeId("a")): FakeImage => ({
  type: "LVM2_member",
  bytes: fakePhysicalVolume({ id, text: groupText(group), data }),
  root: small.root,
});
let vault: FakeImage;
let locked: FakeImage;
beforeAll(async () => {
  const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2 --uuid ${UUID} ${CHEAP} $1 key`;
  vault = await luksDisk({ name: "lvm-inside", script }, physical(root.bytes, groupOf(EXTENTS)));
  locked = await luksDisk({ name: "lvm-locked", script }, root);
});
const typing = typed("pass");

test.each(["/dev/vg0/root", "LABEL=ROOT"])("LVM in LUKS: root=%s", (spec) => {
  const cmdline = `root=${spec} rd.luks.uuid=${UUID}`;
  const { end, journal } = cryptBoot({ cmdline, images: [root], disks: [{ name: "vda", image: vault }], typing });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal).toContain("mount ext4 /dev/mapper/vg0-root at /sysroot (ro)");
  expect(journal).toContain("link /dev/vg0/root to ../dm-1");
});

test("LUKS in LVM", () => {
  const bytes = Buffer.concat([locked.bytes], extentsOf(locked.bytes) * EXTENT_BYTES);
  const outer = physical(bytes, groupOf(extentsOf(locked.bytes)));
  const cmdline = `root=/dev/mapper/inner rd.luks.name=${UUID}=inner`;
  const { end, journal } = cryptBoot({ cmdline, images: [root], disks: [{ name: "vda", image: outer }], typing });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal).toContain("mount ext4 /dev/mapper/inner at /sysroot (ro)");
});

test("before a shell, the volumes of LVM in LUKS are deactivated, and LUKS is closed", () => {
  const cmdline = `root=/dev/vg0/other rd.luks.uuid=${UUID} rd.timeout=3`;
  const { machine, journal } = cryptBoot({ cmdline, images: [root], disks: [{ name: "vda", image: vault }], typing });
  void machine;
  expect(journal.filter((line) => /^(?:map|unmap) /.test(line)).at(-1)).toBe(`unmap luks-${UUID}`);
});

test("a stick does not take the name of an encrypted volume", () => {
  const stick = { name: "sda", image: physical(root.bytes, groupOf(EXTENTS)), isRemovable: true };
  const { end, journal } = cryptBoot({
    cmdline: `root=/dev/mapper/vg0-root rd.luks.name=${UUID}=vg0-root`,
    images: [root],
    disks: [stick, { name: "vda", image: locked }],
    typing,
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal.filter((line) => line.startsWith("map "))).toEqual([expect.stringContaining("CRYPT-LUKS2")]);
});

test("of two groups with one name and one UUID, the one in LUKS is the root, also if the other was activated before", () => {
  const forged = groupOf(EXTENTS, { seqno: 99 });
  const stick = { name: "sda", image: physical(root.bytes, forged), isRemovable: true };
  for (const spec of ["/dev/vg0/root", "LABEL=ROOT"]) {
    const { end, journal } = cryptBoot({
      cmdline: `root=${spec} rd.luks.uuid=${UUID}`,
      images: [root],
      disks: [stick, { name: "vda", image: vault }],
      typing,
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    const calls = journal.filter((line) => /^(?:map|unmap|mount ext4) /.test(line));
    expect(calls.slice(-2)).toEqual([
      expect.stringMatching(/^map vg0-root as LVM-/),
      "mount ext4 /dev/mapper/vg0-root at /sysroot (ro)",
    ]);
    expect(calls.indexOf("unmap vg0-root")).toBeGreaterThan(0);
  }
});
