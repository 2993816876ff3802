import { expect, test } from "bun:test";
import { BCACHE_MODULE, backingDevice, cacheDevice } from "../support/fake-bcache.ts";
import { type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { fakeImage } from "../support/fake-images.ts";

// Whole boots of machines whose root is on bcache: a backing device, and a cache in front of it.

const root = fakeImage("ext4", { label: "ROOT" }, ROOT_TREE);
const backing = (state: 0 | 1 | 2 | 3): FakeDisk => ({ name: "sda", content: backingDevice(root, { state }) });
const cache: FakeDisk = { name: "sdb", content: cacheDevice() };

function boot(disks: readonly FakeDisk[], words = "root=LABEL=ROOT", more: FakeBootOptions = {}) {
  return fakeBoot({
    cmdline: words,
    disks,
    images: [root],
    files: {
      ...INITRAMFS,
      "/lib/modules/6.1.0-fake/modules.dep": "kernel/bcache.ko:\n",
      "/lib/modules/6.1.0-fake/kernel/bcache.ko": "module",
    },
    modules: BCACHE_MODULE,
    ...more,
  });
}
const text = ({ console }: ReturnType<typeof boot>) => console.replaceAll(/\n +/g, " ");
const isBooted = { mode: "switch_root" };

test.each([0, 1, 2, 3] as const)("a backing device with its cache is started, in state %d", (state) => {
  const result = boot([backing(state), cache]);
  expect(result.end).toMatchObject(isBooted);
  expect(result.console).toContain('  root      /dev/bcache0 ext4 "ROOT" in /dev/sda bcache');
  expect(result.journal).toContain("mount ext4 /dev/bcache0 at /sysroot (ro)");
});

test.each(["root=/dev/bcache0", "root=/dev/sda", "root=LABEL=ROOT rd.timeout=20"])("%s names it", (words) => {
  expect(boot([backing(1), cache], words).end).toMatchObject(isBooted);
});

test("a cache that comes late is waited for", () => {
  const result = boot([backing(1), { ...cache, arrivesAtMs: 9000 }]);
  expect(text(result)).toContain(
    "waiting for bcache on /dev/sda: the cache set 5e7c0000-0000-4000-8000-000000000001 is",
  );
  expect(result.end).toMatchObject(isBooted);
  expect(text(result)).not.toContain("without its cache");
});

test("a backing device whose missing cache holds nothing more goes on without it", () => {
  const result = boot([backing(1)], "root=LABEL=ROOT rd.timeout=6");
  expect(result.end).toMatchObject(isBooted);
  expect(text(result)).toContain("/dev/sda is used without its cache: the cache set 5e7c0000-");
});

test("one whose missing cache holds data is not started", () => {
  const result = boot([backing(2)], "root=LABEL=ROOT rd.timeout=6");
  expect(result.end).toBe("poweroff");
  expect(text(result)).toContain(
    "bcache on /dev/sda is not started: the cache set 5e7c0000-0000-4000-8000-000000000001 is missing, and it holds data that are not on /dev/sda yet",
  );
  expect(result.journal.join("\n")).not.toContain("write /sys/fs/bcache/register");
});

test("two caches with one UUID start nothing", () => {
  const other = cacheDevice({ uuid: "5e7c0000-0000-4000-8000-000000000004" });
  const result = boot([backing(1), cache, { name: "sdc", content: other }], "root=LABEL=ROOT rd.timeout=6");
  expect(text(result)).toContain("/dev/sdb and /dev/sdc have the same cache set UUID");
});

test("a cache on a stick is not that of a disk of the machine", () => {
  const result = boot([backing(2), { ...cache, isRemovable: true }], "root=LABEL=ROOT rd.timeout=6");
  expect(text(result)).toContain("bcache on /dev/sda is not started");
});

test("nothing is registered if the root is elsewhere", () => {
  const result = boot(
    [backing(1), cache, { name: "vda", image: fakeImage("ext4", { label: "OTHER" }, ROOT_TREE) }],
    "root=LABEL=OTHER",
  );
  expect(result.end).toMatchObject(isBooted);
  expect(result.journal.join("\n")).not.toContain("bcache");
});

test("what the root is not in is stopped again", () => {
  const result = boot(
    [backing(0), { name: "vda", image: fakeImage("ext4", { label: "LATE" }, ROOT_TREE), arrivesAtMs: 4000 }],
    "root=LABEL=LATE",
  );
  expect(result.end).toMatchObject(isBooted);
  expect(result.journal).toContain("write /sys/class/block/bcache0/bcache/stop");
  expect(result.machine.disk("bcache0")).toBeUndefined();
});
