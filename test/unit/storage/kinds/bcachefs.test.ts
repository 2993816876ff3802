import { expect, test } from "bun:test";
import { readBlockDevices } from "../../../../src/devices/read-devices.ts";
import type { StorageContext, StoragePlan } from "../../../../src/storage/contract.ts";
import { startBcachefs } from "../../../../src/storage/kinds/bcachefs.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";

const MAGIC = "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
const LISTS_AT = 752;
const ENTRY_BYTES = 56;

/** One device of a bcachefs: struct bch_sb of fs/bcachefs/bcachefs_format.h without a checksum, and a list of three places of which one is empty. */
function member(index: number, filesystem = 7): Uint8Array {
  const bytes = new Uint8Array(1 << 20);
  const sb = Buffer.from(bytes.buffer, 4096, 4096);
  const words = 1 + (3 * ENTRY_BYTES) / 8;
  sb.write(MAGIC, 24, "latin1");
  sb.fill(filesystem, 56, 72);
  sb.write("pool\x1b", 72);
  sb.writeBigUInt64LE(8n, 104);
  sb.set([index, 3], 122);
  sb.writeUInt32LE(words, 124);
  sb[257] = 16;
  sb.writeUInt32LE(words, LISTS_AT);
  sb.writeUInt32LE(1, LISTS_AT + 4);
  for (const place of [0, 2])
    sb.fill(place + 1, LISTS_AT + 8 + place * ENTRY_BYTES, LISTS_AT + 24 + place * ENTRY_BYTES);
  return bytes;
}

function setUp(members: readonly Uint8Array[], { rootOptions = "", isSettled = true, sticks = [""] } = {}) {
  const names = members.map((_, index) => `vd${"abcdef"[index]}`);
  const disks = names.map((name, index) => ({
    name,
    content: members[index] ?? new Uint8Array(),
    isRemovable: sticks.includes(name),
  }));
  const machine = fakeMachine({ mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" }, disks });
  const { devices } = readBlockDevices(machine, names);
  const all = () => devices;
  const context = { machine, devices: all, companions: all, isSettled: () => isSettled } as unknown as StorageContext;
  const pools = startBcachefs(context, { rootOptions } as StoragePlan);
  const [first] = devices;
  if (first === undefined) throw new Error("no devices");
  return { lack: () => pools.state?.(first)?.text ?? null, source: pools.mountSource?.(first), pools };
}

test("a bcachefs that lacks a device is named with those that are present, and one that was removed from it is not missed", () => {
  expect(setUp([member(2), member(0, 8)]).lack()).toBe('1 of 2 devices of bcachefs "pool\\x1b" is present: /dev/vda');
  expect(setUp([member(2), member(0)]).lack()).toBeNull();
});

test("a copy of a device does not stand in for the other one", () => {
  expect(setUp([member(2), member(2)]).lack()).toContain("1 of 2 devices");
});

test("the kernel gets the paths of all devices, of a copy not", () => {
  const { source, pools } = setUp([member(2), member(0), member(0)]);
  expect(source).toBe("/dev/vda:/dev/vdb");
  expect(pools.links?.()).toEqual([{ from: ["vda", "vdb"], to: null, isReplacement: false }]);
});

test.each(["noatime,degraded", "very_degraded"])(
  "rootflags=%s mounts what is present when all devices have answered",
  (rootOptions) => {
    expect(setUp([member(2)], { rootOptions }).lack()).toBeNull();
    const slow = setUp([member(2)], { rootOptions, isSettled: false });
    expect(slow.lack()).toContain("1 of 2 devices");
    slow.pools.lastResort?.();
    expect(slow.lack()).toBeNull();
  },
);

test("a stick that says to be a further device is not mounted with those of the machine, unless one is missing", () => {
  const forged = member(1);
  const complete = setUp([member(2), member(0), forged], { sticks: ["vdc"] });
  expect(complete.source).toBe("/dev/vda:/dev/vdb");
  expect(setUp([member(2), member(0)], { sticks: ["vdb"] }).source).toBe("/dev/vda:/dev/vdb");
});
