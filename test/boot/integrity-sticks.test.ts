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

  test("that are too short do not keep the next device from being tried with the same checksums", () => {
    const short = { name: "sdb", partitions: part(own.bytes.subarray(0, own.bytes.length / 2), DATA) };
    const right = { name: "sdc", partitions: part(own.bytes, DATA) };
    const result = boot([checksums, short, right], options, "rd.timeout=2");
    expect(result.root).toBe("OWN");
  });

  test("may lie on a stick with them", () => {
    const both = [{ ...checksums, isRemovable: true }, { ...stick }];
    expect(boot(both, options).end).toMatchObject({ mode: "switch_root" });
  });
});

describe("a stick with the PARTUUID of the device", () => {
  const stick = { name: "sdb", partitions: part(integrityDevice(other.bytes)), isRemovable: true };
  const slow = { name: "sda", partitions: part(integrityDevice(own.bytes)), answersAfterMs: 3000 };
  const dead = { name: "sdc", image: fakeImage("ext4", { label: "DEAD" }), answersAfterMs: Number.POSITIVE_INFINITY };

  test("is not opened while a disk of the machine has not answered", () => {
    const result = boot([slow, stick]);
    expect(result.root).toBe("OWN");
    expect(result.text).toContain(
      "waiting for /dev/mapper/safe: /dev/sdb1 is on a stick, in place of a disk that has not answered",
    );
    expect(result.text).toContain(
      "2 devices match rd.integrity= for /dev/mapper/safe: /dev/sda1 and /dev/sdb1; using /dev/sda1",
    );
  });

  test("is opened after 10 s beside a disk that never answers, and at once if all have", () => {
    const [waited, prompt] = [boot([stick, dead]), boot([stick])];
    expect([waited.root, prompt.root]).toEqual(["OTHER", "OTHER"]);
    const mapped = (result: typeof waited) => /root +\/dev\/mapper\/safe .*? (\d+) ms/.exec(result.text)?.[1];
    expect([mapped(waited), mapped(prompt)]).toEqual(["11000", "0"]);
  });
});

test("of two disks of the machine with one PARTUUID, the warning names both and the one in use", () => {
  const disks = [other, own].map(({ bytes }, index) => ({
    name: `sd${"ab"[index]}`,
    partitions: part(integrityDevice(bytes)),
  }));
  const result = boot(disks);
  expect(result.root).toBe("OTHER");
  expect(result.text).toContain("/dev/mapper/safe: /dev/sda1 and /dev/sdb1; using /dev/sda1");
});
