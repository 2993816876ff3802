import { describe, expect, test } from "bun:test";
import { SyscallError } from "../../src/problems/errors.ts";
import { BCACHE_MODULE, backingDevice, cacheDevice } from "../support/fake-bcache.ts";
import { type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { hibernatedSwap, hibernateLocation } from "../support/fake-hibernation.ts";
import { fakeImage } from "../support/fake-images.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { CRYPT_IMAGE, luksDisk } from "../support/luks/encrypted-disk.ts";

// Whole boots of machines whose root is on bcache: a backing device, and a cache in front of it.

const MODULES = "/lib/modules/6.1.0-fake";
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
      [`${MODULES}/modules.dep`]: "kernel/bcache.ko:\n",
      [`${MODULES}/kernel/bcache.ko`]: "module",
    },
    modules: BCACHE_MODULE,
    ...more,
  });
}
const text = ({ console }: ReturnType<typeof boot>) => console.replaceAll(/\n +/g, " ");
const SWAP = "0e1f0a9c-1111-4000-8000-00000000cafe";
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

test("a cache is released if the kernel refuses the backing device", () => {
  const result = boot([backing(1), cache], "root=LABEL=ROOT rd.timeout=6", {
    before: (machine) => {
      const write = machine.writeFile;
      const writeFile: typeof write = (path, data) => {
        if (`${data}` === "/dev/sda\n") throw new SyscallError("write", "EINVAL", path);
        write(path, data);
      };
      Object.assign(machine, { writeFile });
    },
  });
  expect(text(result)).toContain("bcache on /dev/sda is not started: the kernel refused it");
  expect(result.journal).toContain("write /sys/class/block/sdb/bcache/set/stop");
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

test("the end of one that shares its cache with the root leaves the cache", () => {
  const home = backingDevice(fakeImage("ext4", { label: "HOME" }), {
    state: 1,
    uuid: "5e7c0000-0000-4000-8000-000000000005",
  });
  const result = boot([backing(1), { name: "sdc", content: home }, cache]);
  expect(result.journal).toContain("write /sys/class/block/bcache1/bcache/stop");
  expect(result.journal).toContain("mount ext4 /dev/bcache0 at /sysroot (ro)");
  expect(result.end).toMatchObject(isBooted);
});

describe("a stick with the cache set UUID of the machine", () => {
  const evil = backingDevice(fakeImage("ext4", { label: "EVIL" }), { state: 1 });
  const stick = [
    { name: "sdc", content: evil, isRemovable: true },
    { name: "sdd", content: cacheDevice(), isRemovable: true },
  ];

  function slavesOf(name: string, disks: readonly FakeDisk[], label: string) {
    const slaves: (readonly string[])[] = [];
    const result = boot(disks, `root=LABEL=${label} rd.timeout=6 rd.break=layers`, {
      person: [(machine) => slaves.push(machine.listDirectory(`/sys/class/block/${name}/slaves`))],
    });
    return { ...result, slaves };
  }

  test("that came first has no cache for a disk of the machine", () => {
    const { slaves } = slavesOf("bcache1", [...stick, { ...backing(1), arrivesAtMs: 2000 }], "ROOT");
    expect(slaves).toEqual([["sda"]]);
  });

  test("is not used beside it", () => {
    const late = { name: "vda", image: fakeImage("ext4", { label: "LATE" }, ROOT_TREE), arrivesAtMs: 5500 };
    const result = boot([...stick, backing(1), late], "root=LABEL=LATE rd.timeout=6");
    expect(result.end).toMatchObject(isBooted);
    // Only the machine's, when its cache was waited for.
    expect(result.journal.filter((line) => line === "write /sys/fs/bcache/register")).toHaveLength(1);
  });
});

test("nothing is registered before a resume while the swap space is waited for", () => {
  const swap: FakeDisk = { name: "vdb", image: hibernatedSwap(SWAP), arrivesAtMs: 5000 };
  const result = boot([backing(1), cache, swap], `root=LABEL=ROOT resume=UUID=${SWAP}`);
  expect(result.end).toBe("resume");
  expect(result.journal.join("\n")).not.toContain("bcache");
});

describe("without resume=, where systemd's variable says", () => {
  const location = hibernateLocation(JSON.stringify({ uuid: SWAP, offset: 0 }));

  test.each(["root=LABEL=ROOT", "root=/dev/bcache0"])(
    "a system is resumed before anything is registered: %s",
    (words) => {
      const result = boot([backing(1), cache, { name: "vdb", image: hibernatedSwap(SWAP) }], words, location);
      expect(result.end).toBe("resume");
      expect(result.journal.join("\n")).not.toContain("bcache");
    },
  );

  test("a swap space that does not appear is waited for, and the root is registered then", () => {
    const result = boot([backing(1), cache], "root=LABEL=ROOT", location);
    expect(result.end).toMatchObject(isBooted);
    expect(text(result).split("where systemd hibernated (HibernateLocation), did not appear")).toHaveLength(2);
    expect(result.endMs).toBeLessThan(14_000);
  });

  test("noresume does not ask it", () => {
    const swap: FakeDisk = { name: "vdb", image: hibernatedSwap(SWAP) };
    const result = boot([backing(1), cache, swap], "root=LABEL=ROOT noresume", location);
    expect(result.end).toMatchObject(isBooted);
    expect(result.journal.join("\n")).not.toContain("efivarfs");
  });
});

test.each([
  [`UUID=${SWAP}`, true],
  ["/dev/bcache0", false],
])("swap space on bcache is found when nothing else has it, or a path names it: %s", (name, isWaited) => {
  const content = backingDevice(hibernatedSwap(SWAP), { state: 1 });
  const { end, console } = boot([{ name: "sda", content }, cache], `root=LABEL=ROOT resume=${name}`);
  expect(end).toBe("resume");
  expect(console.includes(`waiting for ${name}`)).toBe(isWaited);
});

test("one in an encrypted volume is stopped before a shell, so that the volume can be closed", async () => {
  const uuid = "6c657661-696e-4000-8000-0000000000b1";
  const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2 --uuid ${uuid} ${CHEAP} $1 key`;
  const bytes = backingDevice(root);
  const image = await luksDisk({ name: "boot-bcache-inside", script }, { ...root, type: "bcache", bytes });
  const dep = `${MODULES}/modules.dep`;
  const files = { ...CRYPT_IMAGE.files, [dep]: `${CRYPT_IMAGE.files[dep]}kernel/bcache.ko:\n` };
  const words = `root=LABEL=ROOT rd.luks.name=${uuid}=vault rd.luks.key=/key rd.break=mount`;
  const volumes: string[] = [];
  const result = boot([{ name: "vda", image }], words, {
    modules: { ...CRYPT_IMAGE.modules, ...BCACHE_MODULE },
    files: { ...INITRAMFS, ...files, [`${MODULES}/kernel/bcache.ko`]: "module", "/key": "pass" },
    person: [(machine) => volumes.push(...machine.listMappings().map(({ name }) => name))],
  });
  expect(result.console).toContain("closed /dev/mapper/vault before the shell");
  expect(volumes).toEqual([]);
  const order = result.journal.filter((line) => /bcache0\/bcache\/stop|^unmap vault/.test(line));
  expect(order.slice(0, 2)).toEqual(["write /sys/class/block/bcache0/bcache/stop", "unmap vault"]);
});
