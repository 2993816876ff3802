import { expect, test } from "bun:test";
import { createReader } from "../../src/machine/linux/workers/reader.ts";
import { fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import { EXTENT_BYTES, extentsOf, fakeId, fakePhysicalVolume, groupText } from "../support/fake-lvm.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { workerFor } from "../support/worker-of-reader.ts";

// Boots of machines with hundreds of disks, many of them physical volumes of the root's group: what each further disk costs.

const small = rootImage();
const EXTENTS = Math.max(4, extentsOf(small.bytes));
const root = { ...small, bytes: Buffer.concat([small.bytes], EXTENTS * EXTENT_BYTES) };
const MODULES = "/lib/modules/6.1.0-fake";
const FILES = {
  ...INITRAMFS,
  [`${MODULES}/modules.dep`]: "kernel/dm-mod.ko:\n",
  [`${MODULES}/kernel/dm-mod.ko`]: "module",
};
const idOf = (index: number) => fakeId("a").slice(0, -6) + String(index).padStart(6, "0");
const nameOf = (index: number) =>
  `sd${String.fromCharCode(97 + Math.floor(index / 676), 97 + (Math.floor(index / 26) % 26), 97 + (index % 26))}`;

function countCalls(machine: FakeMachine, count: () => void): void {
  for (const [name, call] of Object.entries(machine)) {
    if (typeof call !== "function") continue;
    const counted = (...given: unknown[]) => {
      count();
      return Reflect.apply(call, machine, given);
    };
    Object.assign(machine, { [name]: counted });
  }
}

function callsOfBoot(cmdline: string, disks: number, members: number): number {
  const keys = Array.from({ length: members }, (_, index) => [`pv${index}`, idOf(index)] as const);
  const volumes = { root: { segments: [{ on: "pv0", from: 0, extents: EXTENTS }] } };
  const text = groupText({ members: Object.fromEntries(keys), volumes });
  let calls = 0;
  const { end } = fakeBoot({
    cmdline,
    images: [root],
    files: FILES,
    modules: { dm_mod: CRYPT_MODULES.dm_mod },
    disks: Array.from({ length: disks }, (_, index) => ({
      name: nameOf(index),
      ...(index < members
        ? { content: fakePhysicalVolume({ id: idOf(index), text, data: index === 0 ? root.bytes : new Uint8Array() }) }
        : { image: fakeImage("ext4", { label: `DATA-${index}` }) }),
    })),
    before: (machine) => countCalls(machine, () => calls++),
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  return calls;
}

test.each(["root=LABEL=ROOT", "root=/dev/vg0/root"])(
  "a machine with 256 disks, 64 of them physical volumes, is asked no more for each than one with 32: %s",
  (cmdline) => {
    const [none, few, many] = [callsOfBoot(cmdline, 1, 1), callsOfBoot(cmdline, 32, 8), callsOfBoot(cmdline, 256, 64)];
    const perDisk = [(few - none) / 31, (many - none) / 255] as const;
    // 14 each; by the path it was 47 while each disk was asked for the links that udev would make for it.
    expect(perDisk[1]).toBeLessThan(perDisk[0] * 1.1);
    expect(perDisk[1]).toBeLessThan(20);
  },
);

test("of disks that come one after the other and look alike, the last is asked no more about than the first", () => {
  const callsFor = (count: number) => {
    let calls = 0;
    const disk = (index: number) => ({ name: nameOf(index), arrivesAtMs: 6000 + index * 8 });
    const { end } = fakeBoot({
      cmdline: "root=LABEL=ROOT",
      disks: [
        ...Array.from({ length: count }, (_, index) => ({
          ...disk(index),
          image: fakeImage("ext4", { label: "DATA" }),
        })),
        { ...disk(count), image: small },
      ],
      before: (machine) => countCalls(machine, () => calls++),
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    return calls;
  };
  const [none, few, many] = [callsFor(0), callsFor(8), callsFor(48)];
  // 29 each; with 48 disks it was 77 before a WWID was read only once.
  expect((many - none) / 48).toBeLessThan(((few - none) / 8) * 1.1);
});

/** So large that the probe looks beyond the head of the device. */
const large = (image: FakeImage): FakeImage => ({ ...image, bytes: Buffer.concat([image.bytes], 256 << 10) });

/** Boots beside such disks, and returns how many orders the processes that read them are given. */
function ordersOfBoot(disks: number, more: (index: number) => Partial<FakeDisk>): number {
  let orders = 0;
  const { end } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [
      ...Array.from({ length: disks }, (_, index) => ({ name: nameOf(index), ...more(index) })),
      { name: nameOf(disks), image: small },
    ],
    before(machine) {
      machine.openAsyncReader = (path, options = {}) =>
        createReader(
          path,
          options,
          workerFor(machine.openReader(path), () => orders++),
          {
            wait: () => undefined,
            release: (last) => void (typeof last === "object" && last !== null ? orders++ : 0),
          },
        );
    },
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  return orders;
}

test("each further disk with a partition takes two orders to the processes that read disks", () => {
  const image = (index: number) => large(fakeImage("ext4", { label: `DATA-${index}` }));
  const [few, many] = [8, 64].map((disks) =>
    ordersOfBoot(disks, (index) => ({ partitions: [{ image: image(index) }] })),
  );
  // 4 before a device was closed with its answer.
  expect(((many ?? 0) - (few ?? 0)) / 56).toBe(2);
});

test("each further physical volume takes two orders: its probe, and all that LVM reads of it", () => {
  const text = groupText({ members: { pv0: idOf(0) }, volumes: {} });
  const content = (index: number) => fakePhysicalVolume({ id: idOf(index), text });
  const [few, many] = [8, 24].map((disks) => ordersOfBoot(disks, (index) => ({ content: content(index) })));
  // 6 before its label, its metadata area and the text were asked for at once.
  expect(((many ?? 0) - (few ?? 0)) / 16).toBe(2);
});

/** Disks that hold no root, and the root, which answers at once; `answersAfterMs` of each of the others. */
function bootAmongSlow(others: number, answersAfterMs: (index: number) => number, rootAfterMs = 0) {
  let rounds = 0;
  const boot = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [
      ...Array.from({ length: others }, (_, index) => ({
        name: nameOf(index),
        image: fakeImage("ext4", { label: `DATA-${index}` }),
        answersAfterMs: answersAfterMs(index),
      })),
      { name: nameOf(others), image: small, answersAfterMs: rootAfterMs },
    ],
    before(machine) {
      const { listMappings } = machine;
      machine.listMappings = () => {
        rounds += 1;
        return listMappings();
      };
    },
  });
  expect(boot.end).toMatchObject({ mode: "switch_root" });
  return { ...boot, rounds };
}

test("of 500 disks, the root that answers is taken before the others have answered", () => {
  const { endMs, console } = bootAmongSlow(500, () => 60_000);
  // 11.6 s before the devices of one batch had a time together.
  expect(endMs).toBeLessThan(4000);
  expect(console.match(/has not answered yet/g)).toHaveLength(8);
});

test("400 disks that answer one after the other cause no round each", () => {
  const { rounds, endMs } = bootAmongSlow(400, (index) => 1500 + index * 2, 2500);
  // 429 before answers were taken together: looks at the mappings, of which a round has one or two.
  expect(rounds).toBeLessThan(200);
  // 54 s before the second answer of each disk was not waited for in turn.
  expect(endMs).toBeLessThan(12_000);
});

test("a boot that looks at 500 disks for long says how many have answered; one with few says nothing", () => {
  const { console } = bootAmongSlow(500, () => 15, 15);
  expect(console).toMatch(/waiting for block devices, 1 s · seen: [1-9]\d+ of 501 have answered/);
  expect(bootAmongSlow(5, () => 15, 15).console).not.toContain("waiting for block devices");
});
