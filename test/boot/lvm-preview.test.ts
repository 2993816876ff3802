import { describe, expect, test } from "bun:test";
import { fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import {
  EXTENT_BYTES,
  extentsOf,
  type FakeVolume,
  fakeId,
  fakePhysicalVolume,
  groupText,
} from "../support/fake-lvm.ts";

// A label may be that of any volume: which of them are activated for it, and which are ruled out by what lies on the physical volume.

const MODULES = "/lib/modules/6.1.0-fake";
const FILES = {
  ...INITRAMFS,
  [`${MODULES}/modules.dep`]: "kernel/dm-mod.ko:\n",
  [`${MODULES}/kernel/dm-mod.ko`]: "module",
};
const EXTENTS = 4;
/** In whole extents, as its volume has it. */
const whole = (image: FakeImage): FakeImage => ({
  ...image,
  bytes: Buffer.concat([image.bytes], EXTENTS * EXTENT_BYTES),
});
const root = whole(rootImage());
const NOTHING = new Uint8Array(EXTENTS * EXTENT_BYTES);

/** Puts the volumes one behind the other on one disk. */
function diskOf(contents: Readonly<Record<string, Uint8Array>>): FakeDisk {
  let from = 0;
  const volumes: Record<string, FakeVolume> = {};
  for (const [index, [name, bytes]] of Object.entries(contents).entries()) {
    const extents = extentsOf(bytes);
    volumes[name] = { id: idOf(index), segments: [{ on: "pv0", from, extents }] };
    from += extents;
  }
  const text = groupText({ members: { pv0: fakeId("a") }, volumes });
  const data = Buffer.concat(Object.values(contents));
  return { name: "vda", content: fakePhysicalVolume({ id: fakeId("a"), text, data }) };
}

const idOf = (index: number) => fakeId("l").slice(0, -6) + String(index).padStart(6, "0");

function boot(disks: readonly FakeDisk[], cmdline = "root=LABEL=ROOT rd.timeout=15") {
  const { end, journal, console } = fakeBoot({
    cmdline,
    images: [root],
    files: FILES,
    modules: { dm_mod: CRYPT_MODULES.dm_mod },
    disks,
  });
  const mapped = journal.flatMap((line) => /^map vg0-(\w+) /.exec(line)?.[1] ?? []);
  return { end, mapped, console };
}

const DATA = whole(fakeImage("ext4", { label: "DATA" }));

describe("for a label", () => {
  test("only the volume that has it is activated among many", () => {
    const others = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [`v${index}`, index % 2 ? DATA.bytes : NOTHING]),
    );
    const { end, mapped } = boot([diskOf({ ...others, root: root.bytes, last: DATA.bytes })]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(mapped).toEqual(["root"]);
  });

  test("what may hold it, or a part of it, is activated too", () => {
    const luks = whole(fakeImage("crypto_LUKS", { uuid: "0e1f0a9c-3333-4000-8000-00000000cafe" })).bytes;
    const pool = fakeImage("btrfs", { label: "POOL" }).bytes;
    const { mapped } = boot([diskOf({ luks, data: DATA.bytes, pool, root: root.bytes })]);
    expect(mapped).toEqual(["luks", "pool", "root"]);
  });

  test("a volume in two places of its disk is read in both", () => {
    const half = (EXTENTS / 2) * EXTENT_BYTES;
    // The superblock is in the first half, which is the later one on the disk.
    const swapped = Buffer.concat([root.bytes.subarray(half), root.bytes.subarray(0, half), DATA.bytes]);
    const volumes = {
      root: {
        segments: [
          { on: "pv0", from: EXTENTS / 2, extents: EXTENTS / 2 },
          { on: "pv0", from: 0, extents: EXTENTS / 2 },
        ],
      },
      data: { segments: [{ on: "pv0", from: EXTENTS, extents: EXTENTS }] },
    };
    const text = groupText({ members: { pv0: fakeId("a") }, volumes });
    const content = fakePhysicalVolume({ id: fakeId("a"), text, data: swapped });
    const { end, mapped } = boot([{ name: "vda", content }]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(mapped).toEqual(["root"]);
  });

  test("a volume on two disks is activated unseen", () => {
    const volumes = {
      root: { segments: [{ on: "pv0", from: 0, extents: EXTENTS }] },
      both: {
        segments: [
          { on: "pv0", from: EXTENTS, extents: 1 },
          { on: "pv1", from: 0, extents: 1 },
        ],
      },
    };
    const text = groupText({ members: { pv0: fakeId("a"), pv1: fakeId("b") }, volumes });
    const disks = (["a", "b"] as const).map((letter) => ({
      name: `vd${letter}`,
      content: fakePhysicalVolume({ id: fakeId(letter), text, data: letter === "a" ? root.bytes : new Uint8Array() }),
    }));
    expect(boot(disks).mapped).toEqual(["root", "both"]);
  });

  test("a volume that ends behind its disk is activated unseen, and the kernel decides", () => {
    const volumes = {
      root: { segments: [{ on: "pv0", from: 0, extents: EXTENTS }] },
      far: { segments: [{ on: "pv0", from: 1000, extents: EXTENTS }] },
    };
    const text = groupText({ members: { pv0: fakeId("a") }, volumes });
    const content = fakePhysicalVolume({ id: fakeId("a"), text, data: root.bytes });
    expect(boot([{ name: "vda", content }]).mapped).toEqual(["root", "far"]);
  });
});

test("a label that no volume has is reported with all volumes, activated at the end", () => {
  const { mapped, console } = boot([diskOf({ root: root.bytes, data: DATA.bytes })], "root=LABEL=ROOD rd.timeout=15");
  expect(mapped).toEqual(["root", "data"]);
  expect(console).toContain('/dev/mapper/vg0-root ext4 "ROOT"');
  expect(console).toContain('/dev/mapper/vg0-data ext4 "DATA"');
});

test.each(["rd.lvm.lv=vg0/data", "rd.lvm.lv=vg0/data rd.lvm.lv=vg0/root"])("%s activates what it names", (words) => {
  const { mapped } = boot([diskOf({ root: root.bytes, data: DATA.bytes })], `root=LABEL=ROOT rd.timeout=15 ${words}`);
  expect(mapped).toContain("data");
});
