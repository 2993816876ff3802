import { describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { createLoader } from "../../../src/drivers/loader.ts";
import { createStarter } from "../../../src/drivers/module-files.ts";
import type { FakeTree } from "../../support/fake-files.ts";
import { fakeMachine } from "../../support/fake-machine.ts";
import type { FakeProgram } from "../../support/fake-processes.ts";
import { listenToVoice } from "../desk/heard-voice.ts";

const DIRECTORY = "/lib/modules/6.1.0-fake";
const WISHES = { load: [], parameters: {}, blacklist: [] };
const MOUNTED = { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" };

function loadsOf({ journal }: { readonly journal: readonly string[] }): readonly string[] {
  return journal.filter((line) => line.startsWith("load ")).map((line) => line.replace(/^.*\/([^/]+)\.ko/, "$1"));
}

const CALM = { isAnyBusy: false, isAnyProbing: false, isHasty: false };
const DONE = { isDone: () => true };

/** How long a module is waited for, and its parameters. */
function start(path: string, around: Partial<typeof CALM>): readonly [patienceMs: number, parameters: string] {
  const given: string[] = [];
  const startModule = (_: string, parameters: string) => {
    given.push(parameters);
    return DONE;
  };
  const begin = createStarter({ ...fakeMachine({}), startModule });
  const { patienceMs } = begin(`/lib/modules/6.1.0/${path}`, "a=1", { ...CALM, ...around });
  return [patienceMs, given.join()];
}

test.each([
  ["kernel/drivers/ata/ahci.ko", true],
  ["kernel/drivers/block/virtio_blk.ko", true],
  ["kernel/drivers/block/loop.ko", false],
  ["kernel/drivers/md/dm-crypt.ko", false],
  ["kernel/fs/btrfs/btrfs.ko", false],
  ["kernel/fs/fuse/virtiofs.ko", false],
  ["kernel/arch/x86/crypto/aesni-intel.ko", false],
  ["updates/dkms/zfs.ko", false],
] as const)("%s is left to itself if it takes long: %p", (path, isPatient) => {
  expect(start(path, {})).toEqual([isPatient ? 5000 : Number.POSITIVE_INFINITY, "a=1"]);
  expect(start(path, { isAnyBusy: true })[0]).toBe(isPatient ? 500 : Number.POSITIVE_INFINITY);
});

test.each([
  // The names of disks must not depend on which answers first.
  ["kernel/drivers/ata/ahci.ko", { isAnyProbing: true }, "a=1"],
  ["kernel/drivers/ata/ahci.ko", { isHasty: true }, "a=1 async_probe"],
  ["kernel/drivers/md/dm-crypt.ko", { isAnyProbing: true }, "a=1 async_probe"],
  // Both are mounted at once.
  ["kernel/fs/fuse/virtiofs.ko", { isAnyProbing: true }, "a=1"],
  ["kernel/net/9p/9pnet_virtio.ko", { isAnyProbing: true }, "a=1"],
] as const)("%s in %p has the parameters %p", (path, around, parameters) => {
  expect(start(path, around)[1]).toBe(parameters);
});

describe("compressed modules", () => {
  const zst = `${DIRECTORY}/kernel/fs/one.ko.zst`;
  const files: FakeTree = {
    [`${DIRECTORY}/modules.dep`]:
      "kernel/fs/one.ko.zst:\nkernel/fs/two.ko.gz:\nkernel/fs/three.ko.xz:\nkernel/fs/bad.ko.zst:",
    [zst]: zstdCompressSync("one"),
    [`${DIRECTORY}/kernel/fs/two.ko.gz`]: gzipSync("two"),
    [`${DIRECTORY}/kernel/fs/three.ko.xz`]: "xz",
    [`${DIRECTORY}/kernel/fs/bad.ko.zst`]: "not zstd",
  };
  const modules = { one: {}, two: {}, three: {}, bad: {} };

  test("are decompressed if the kernel cannot do it, and nothing is left of them", () => {
    const machine = fakeMachine({ files, modules });
    const seen: string[] = [];
    const watched = {
      ...machine,
      startModule: (path: string, parameters: string) => {
        seen.push(new TextDecoder().decode(machine.readFile(path)));
        return machine.startModule(path, parameters);
      },
    };
    const voice = listenToVoice();
    createLoader(watched, { ...WISHES, load: ["one", "two"] }, voice);
    expect(seen).toEqual(["one", "two"]);
    expect(machine.listDirectory("/run/levain")).toEqual([]);
    expect(voice.warnings).toEqual([]);
  });

  test("are left to a kernel that can", () => {
    const machine = fakeMachine({ files, modules, mounted: MOUNTED, sys: { "/module/compression": "zstd\n" } });
    const given: unknown[] = [];
    const startModule = (...all: readonly unknown[]) => {
      given.push(all);
      return DONE;
    };
    createLoader({ ...machine, startModule }, { ...WISHES, load: ["one", "two"] }, listenToVoice());
    expect(given).toEqual([
      [zst, "", { compressed: true }],
      ["/run/levain/two.ko", ""],
    ]);
  });

  test("with xz go through BusyBox", () => {
    const unxz: FakeProgram = ({ argv }) => {
      const copy = argv.at(-1) ?? "";
      machine.writeFile(copy.replace(/\.xz$/, ""), "three");
      machine.removeFile(copy);
      return { status: 0 };
    };
    const machine = fakeMachine({
      files: { ...files, "/bin/busybox": { data: "elf", mode: 0o755 } },
      modules,
      programs: { "/bin/busybox": unxz },
    });
    const voice = listenToVoice();
    createLoader(machine, { ...WISHES, load: ["three"] }, voice);
    expect(voice.warnings).toEqual([]);
    expect(loadsOf(machine)).toEqual(["three"]);
  });

  test("that cannot be read are reported", () => {
    const machine = fakeMachine({ files, modules });
    const voice = listenToVoice();
    createLoader(machine, { ...WISHES, load: ["three", "bad"] }, voice);
    expect(voice.warnings).toHaveLength(2);
    expect(voice.warnings[0]).toContain("no unxz");
    expect(voice.warnings[1]).toContain("damaged");
  });
});
