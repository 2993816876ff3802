import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, ROOT_TREE } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";
import { integrityDevice } from "../support/fake-integrity.ts";
import { integrityBoot } from "../support/integrity-boot.ts";

// Whole boots beside a stick with the names of a device that dm-integrity checks: without a key, checksums prove nothing.

const SAFE = "5d4b1808-be76-774d-88af-03c4c3a41761";
const DATA = "5d4b1808-be76-774d-88af-03c4c3a41762";
const own = fakeImage("ext4", { label: "OWN" }, ROOT_TREE);
const other = fakeImage("ext4", { label: "OTHER" }, ROOT_TREE);
const part = (bytes: Uint8Array, uuid = SAFE) => [{ image: { ...own, bytes: new Uint8Array(bytes) }, uuid }];

type Disks = NonNullable<FakeBootOptions["disks"]>;

function boot(disks: Disks, options = "", more = "") {
  const cmdline = `rd.integrity=safe:PARTUUID=${SAFE}${options} root=/dev/mapper/safe ${more}`;
  const result = integrityBoot({ cmdline, images: [own, other], disks });
  return { ...result, root: /mapper\/safe ext4 "(\w+)"/.exec(result.text)?.[1] };
}

describe("data apart from their checksums", () => {
  const options = `,data-device=PARTUUID=${DATA}`;
  const checksums = { name: "sda", partitions: part(integrityDevice(own.bytes, { isApart: true })) };
  const stick = { name: "sdb", partitions: part(other.bytes, DATA), isRemovable: true };

  test("on a stick are not those of a disk of the machine, which is waited for", () => {
    const late = { name: "sdc", partitions: part(own.bytes, DATA), arrivesAtMs: 4000 };
    const result = boot([checksums, stick, late], options);
    expect(result.root).toBe("OWN");
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("on a stick, and their checksums on a disk of the machine, are named", () => {
    const result = boot([checksums, stick], options, "rd.timeout=2");
    expect(result.journal.filter((line) => line.startsWith("map "))).toEqual([]);
    expect(result.text).toContain(
      "/dev/sda1 is not opened as /dev/mapper/safe (dm-integrity): its data are on /dev/sdb1, and either both or neither must be on a removable disk",
    );
  });

  test("may lie on a stick with them", () => {
    const both = [{ ...checksums, isRemovable: true }, { ...stick }];
    expect(boot(both, options).end).toMatchObject({ mode: "switch_root" });
  });
});
