import { describe, expect, test } from "bun:test";
import { type BlockDevice, listBlockDeviceNames } from "../../../../src/devices/block-devices.ts";
import { readBlockDevices } from "../../../../src/devices/read-devices.ts";
import { crc32c } from "../../../../src/formats/checksums.ts";
import type { StorageContext, StoragePlan } from "../../../../src/storage/contract.ts";
import { startBtrfs } from "../../../../src/storage/kinds/btrfs.ts";
import { type FakeMachineOptions, fakeMachine } from "../../../support/fake-machine.ts";

const SUPERBLOCK = 64 * 1024;

/** One device of a btrfs: struct btrfs_super_block of linux/btrfs_tree.h, as far as it is read. */
function member(id: number, count: number, filesystem = 7, generation = 100): Uint8Array {
  const bytes = new Uint8Array(1 << 20);
  const sb = Buffer.from(bytes.buffer, SUPERBLOCK, 4096);
  sb.fill(filesystem, 0x20, 0x30);
  sb.write("_BHRfS_M", 0x40);
  sb.writeBigUInt64LE(BigInt(generation), 0x48);
  sb.writeBigUInt64LE(BigInt(count), 0x88);
  sb.writeUInt32LE(4096, 0x90);
  sb.writeBigUInt64LE(BigInt(id), 0xc9);
  sb.write("pool\x1b", 0x12b);
  sb.writeUInt32LE(crc32c(sb.subarray(32)), 0);
  return bytes;
}

const CONTROL = { btrfs: { nodes: { "/btrfs-control": { node: "character" as const, number: "10:234" } } } };

function setUp(members: readonly Uint8Array[], isDegraded = false, options: FakeMachineOptions = {}) {
  const disks = members.map((content, index) => ({ name: `vd${"abcdef"[index]}`, content }));
  const machine = fakeMachine({
    mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" },
    files: { "/btrfs.ko": "module" },
    modules: CONTROL,
    disks,
    ...options,
  });
  const loaded: string[] = [];
  const drivers = {
    loadFilesystem(type: string) {
      if (loaded.length === 0) machine.startModule("/btrfs.ko", "");
      loaded.push(type);
    },
  };
  const known = new Map<string, BlockDevice>();
  const look = () => {
    const names = listBlockDeviceNames(machine);
    for (const name of known.keys()) if (!names.includes(name)) known.delete(name);
    for (const device of readBlockDevices(machine, names).devices) {
      if (!known.has(device.name)) known.set(device.name, device);
    }
    return [...known.values()];
  };
  const warnings: string[] = [];
  const voice = { warn: (text: string) => void warnings.push(text) };
  const context = { machine, drivers, voice, devices: look, companions: look, isSettled: () => true };
  const pools = startBtrfs(
    context as unknown as StorageContext,
    {
      rootOptions: isDegraded ? "noatime,degraded" : "",
    } as StoragePlan,
  );
  return { machine, loaded, look, pools, context, warnings };
}

function lackOf({ pools, look }: ReturnType<typeof setUp>): string | null {
  const [first] = look();
  if (first === undefined) return "none";
  pools.advance(first);
  return pools.state?.(first)?.text ?? null;
}

describe("a candidate", () => {
  test("a btrfs of one device asks for nothing", () => {
    const set = setUp([member(1, 1)]);
    expect(lackOf(set)).toBeNull();
    expect(set.loaded).toEqual([]);
    expect(set.machine.journal.join("\n")).not.toContain("btrfs");
  });

  test("one of several waits for the others, and names what is there", () => {
    const set = setUp([member(1, 3), member(3, 3), member(1, 1, 8)]);
    expect(lackOf(set)).toBe('2 of 3 devices of btrfs "pool\\x1b" are present: /dev/vda, /dev/vdb');
    expect(set.machine.journal.filter((line) => line.startsWith("register"))).toEqual([
      "register /dev/vda with btrfs",
      "register /dev/vdb with btrfs",
    ]);
    set.machine.plugIn({ name: "vdx", content: member(2, 3) });
    expect(lackOf(set)).toBeNull();
    expect(set.loaded[0]).toBe("btrfs");
  });

  test("the same device twice is one, as the kernel sees it", () => {
    expect(lackOf(setUp([member(1, 2), member(1, 2)]))).toContain("2 of 2 devices");
  });

  test("one that was pulled out is missed, though the kernel still counts it", () => {
    const set = setUp([member(1, 2)]);
    expect(lackOf(set)).toContain("1 of 2 devices");
    set.machine.pullOut("vda");
    set.machine.plugIn({ name: "vdb", content: member(2, 2) });
    expect(lackOf(set)).toContain('1 of 2 devices of btrfs "pool\\x1b" is present: /dev/vdb');
    set.machine.plugIn({ name: "vdc", content: member(1, 2) });
    expect(lackOf(set)).toBeNull();
  });

  test("degraded takes what is there, and all of it is registered", () => {
    const set = setUp([member(1, 3), member(2, 3)], true);
    expect(lackOf(set)).toBeNull();
    expect(set.machine.journal.filter((line) => line.startsWith("register")).length).toBe(2);
  });

  test("degraded waits for a device that is slow, until the last resort", () => {
    const set = setUp([member(1, 3), member(2, 3)], true);
    set.context.isSettled = () => false;
    expect(lackOf(set)).toContain("2 of 3 devices");
    set.pools.lastResort?.();
    expect(lackOf(set)).toBeNull();
  });

  test("a kernel that knows no btrfs is left to the mount's refusal", () => {
    expect(lackOf(setUp([member(1, 2)], false, { modules: { btrfs: {} } }))).toBeNull();
  });
});

test("members of a filesystem are linked, and two copies of a single-device one are not", () => {
  const { pools } = setUp([member(1, 2), member(2, 2), member(1, 2, 9), member(1, 1, 5), member(1, 1, 5)]);
  const links = [
    { from: ["vda", "vdb"], to: null, isReplacement: false },
    { from: ["vdc"], to: null, isReplacement: false },
  ];
  expect(pools.links?.()).toEqual(links);
});

describe("claim", () => {
  test("makes the kernel forget what it has seen, a stranger's device with the same UUID too", () => {
    const { machine, pools, look, context } = setUp([member(1, 2), member(2, 2), member(3, 2)]);
    const [first, second] = look();
    if (first === undefined || second === undefined) throw new Error("no devices");
    pools.advance(first);
    const before = machine.journal.length;
    context.companions = () => [first, second];
    pools.claim?.(first);
    expect(machine.journal.slice(before)).toEqual([
      "forget the devices of btrfs",
      "register /dev/vda with btrfs",
      "register /dev/vdb with btrfs",
    ]);
  });

  test("of one device too, for the kernel reads the newest superblock of all that it knows", () => {
    const { machine, pools, look } = setUp([member(1, 1), member(2, 1)]);
    machine.startModule("/btrfs.ko", "");
    const [first] = look();
    if (first !== undefined) pools.claim?.(first);
    expect(machine.journal.at(-1)).toBe("forget the devices of btrfs");
  });

  test("does nothing for another type, and where the kernel has no btrfs", () => {
    const { machine, pools, look } = setUp([new Uint8Array(1 << 20)]);
    for (const device of look()) pools.claim?.(device);
    expect(machine.journal.join("\n")).not.toContain("btrfs");
  });
});

describe("a member that is out of date", () => {
  /** A member of an earlier time. */
  const old = (id: number, count: number) => member(id, count, 7, 90);
  const registered = ({ machine }: ReturnType<typeof setUp>) =>
    machine.journal.filter((line) => line.startsWith("register")).map((line) => line.split(" ")[1]);
  const namedFirst = ({ pools }: ReturnType<typeof setUp>) => pools.links?.()[0]?.from[0];

  for (const [what, members] of [
    ["is there first, and had more members", [old(3, 4), member(1, 2), member(2, 2)]],
    ["had as many", [old(3, 2), member(1, 2), member(2, 2)]],
    ["is an old copy of one", [old(1, 2), member(1, 2), member(2, 2)]],
    ["was one of two, and the filesystem has one device now", [old(2, 2), member(1, 1)]],
  ] as const) {
    test(`is neither waited for nor used if the others are enough: it ${what}`, () => {
      const set = setUp(members);
      expect(lackOf(set)).toBeNull();
      expect(namedFirst(set)).toBe("vdb");
      const before = registered(set).length;
      const [, current] = set.look();
      if (current !== undefined) set.pools.claim?.(current);
      expect(registered(set).slice(before)).not.toContain("/dev/vda");
      expect(set.warnings).toHaveLength(1);
      expect(set.warnings[0]).toContain("/dev/vda is out of date");
      expect(set.warnings[0]).toContain("it is not used");
    });
  }

  test("does not stand in for a member that is slow, and is named", () => {
    const set = setUp([old(3, 2), member(1, 2)]);
    set.context.isSettled = () => false;
    expect(lackOf(set)).toBe('2 of 2 devices of btrfs "pool\\x1b" are present: /dev/vdb, /dev/vda (out of date)');
    set.machine.plugIn({ name: "vdc", content: member(2, 2) });
    expect(lackOf(set)).toBeNull();
  });

  test("that was absent for a while completes a mirror once all devices have answered, with a warning", () => {
    const set = setUp([member(1, 2), old(2, 2)]);
    set.context.isSettled = () => false;
    expect(lackOf(set)).toContain("/dev/vdb (out of date)");
    set.context.isSettled = () => true;
    expect(lackOf(set)).toBeNull();
    const [current] = set.look();
    if (current !== undefined) set.pools.claim?.(current);
    expect(registered(set).slice(-2)).toEqual(["/dev/vda", "/dev/vdb"]);
    expect(set.warnings[0]).toContain("repair it with `btrfs scrub`");
  });
});
