import { describe, expect, test } from "bun:test";
import { fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { EXTENT_BYTES, extentsOf, type FakeGroup, fakeId, fakePhysicalVolume, groupText } from "../support/fake-lvm.ts";

// Physical volumes that hang, or return read errors.

const MODULES = "/lib/modules/6.1.0-fake";
const small = rootImage();
const EXTENTS = Math.max(4, extentsOf(small.bytes));
const root = { ...small, bytes: Buffer.concat([small.bytes], EXTENTS * EXTENT_BYTES) };
const BOTH: FakeGroup = {
  members: { pv0: fakeId("a"), pv1: fakeId("b") },
  volumes: {
    root: { segments: [{ on: "pv0", from: 0, extents: EXTENTS }] },
    other: { segments: [{ on: "pv1", from: 0, extents: 1 }] },
  },
};
const disk = (name: string, group: FakeGroup, id: string, rest: Partial<FakeDisk> = {}): FakeDisk => ({
  name,
  content: fakePhysicalVolume({ id: fakeId(id), text: groupText(group), data: root.bytes }),
  ...rest,
});
const boot = (disks: readonly FakeDisk[], words = "root=/dev/vg0/root") =>
  fakeBoot({
    cmdline: words,
    images: [root],
    files: {
      ...INITRAMFS,
      [`${MODULES}/modules.dep`]: "kernel/dm-mod.ko:\n",
      [`${MODULES}/kernel/dm-mod.ko`]: "module",
    },
    modules: { dm_mod: CRYPT_MODULES.dm_mod },
    disks,
  });

const DAMAGES = [
  ["hangs", { answersAfterMs: Number.POSITIVE_INFINITY }, "has not answered yet"],
  ["returns read errors", { failsWith: "EIO" }, "cannot be read"],
] as const satisfies readonly (readonly [string, Partial<FakeDisk>, string])[];

describe.each(DAMAGES)("a physical volume that %s", (_, damage, words) => {
  test("and that the root does not need is named, and the root is activated when it has been waited for", () => {
    const { end, endMs, console, journal } = boot([disk("vda", BOTH, "a"), disk("vdb", BOTH, "b", damage)]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/mapper/vg0-root at /sysroot (ro)");
    expect(console.replaceAll(/\s+/g, " ")).toMatch(new RegExp(`/dev/vdb .*${words}`));
    expect(console.replaceAll(/\s+/g, " ")).toContain("1 of 2 physical volumes are present");
    expect(endMs).toBeLessThan(33_000);
  });

  test("and that is another group's is named, and not waited for", () => {
    const group = {
      ...BOTH,
      members: { pv0: fakeId("a") },
      volumes: { root: BOTH.volumes["root"] ?? { segments: [] } },
    };
    const other = { ...group, name: "vg1", id: "h".repeat(32), members: { pv0: fakeId("c") } };
    const { end, endMs, console } = boot([disk("vda", group, "a"), disk("vdb", other, "c", damage)]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain(words);
    expect(endMs).toBeLessThan(2500);
  });
});
