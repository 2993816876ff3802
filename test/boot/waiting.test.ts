import { describe, expect, test } from "bun:test";
import { fakeBoot, rootImage } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";

const OTHER = { name: "vda", image: fakeImage("ext4", { label: "OTHER" }) };
const lateRoot = (arrivesAtMs: number) => ({ name: "vdb", image: rootImage(), arrivesAtMs });

describe("with quiet", () => {
  const boot = (arrivesAtMs: number, more = "") =>
    fakeBoot({ cmdline: `quiet root=LABEL=ROOT${more}`, disks: [OTHER, lateRoot(arrivesAtMs)] });

  test("a wait of 5 s is announced once, with what was seen so far", () => {
    const { end, console } = boot(9000);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toBe('  ...       waiting for LABEL=ROOT, 5 of 30 s · seen: /dev/vda ext4 "OTHER"\n');
  });

  test("a longer wait is announced at ever longer intervals", () => {
    const { console } = boot(1_800_000, " rootwait");
    const seconds = [...console.matchAll(/waiting for LABEL=ROOT, (\d+) s/g)].map(([, number]) => Number(number));
    expect(seconds).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280]);
  });

  test("a wait that ends with a fallback is announced too", () => {
    const root = "rootfallback=LABEL=SECOND";
    const { console } = boot(3_600_000, ` ${root} rd.timeout=12`);
    expect(console).toContain("waiting for LABEL=ROOT, 10 of 12 s");
  });

  for (const arrivesAtMs of [0, 1500, 5000]) {
    test(`a root that is there after ${arrivesAtMs} ms is booted without a word`, () => {
      expect(boot(arrivesAtMs).console).toBe("");
    });
  }

  test("a slow disk beside the root is no reason for a word", () => {
    const disks = [{ ...OTHER, answersAfterMs: Number.POSITIVE_INFINITY }, lateRoot(0)];
    expect(fakeBoot({ cmdline: "quiet root=LABEL=ROOT", disks }).console).toBe("");
  });
});

const POLLING = "/sys/module/block/parameters/events_dfl_poll_msecs";

describe("the kernel polls removable media", () => {
  const boot = (setting: string | null, arrivesAtMs: number, more = "") => {
    const sys: FakeTree = setting === null ? {} : { "/module/block/parameters/events_dfl_poll_msecs": `${setting}\n` };
    const values: string[] = [];
    const result = fakeBoot({
      cmdline: `root=LABEL=ROOT${more}`,
      disks: [OTHER, lateRoot(arrivesAtMs)],
      sys,
      before(machine) {
        const { writeFile } = machine;
        Object.assign(machine, {
          writeFile(path: string, data: Uint8Array | string) {
            if (path === POLLING) values.push(String(data));
            writeFile(path, data);
          },
        });
      },
    });
    return { ...result, values };
  };

  for (const off of ["0", "-1"]) {
    test(`while levain waits if the setting is ${off}, which is restored`, () => {
      expect(boot(off, 9000).values).toEqual(["2000", off]);
    });

    test(`also in a search that fails, if the setting is ${off}`, () => {
      expect(boot(off, 100_000, " rd.timeout=5").values).toEqual(["2000", off]);
    });
  }

  test("no differently if a setting was chosen", () => {
    expect(boot("500", 9000).values).toEqual([]);
  });

  test("not if nothing is waited for", () => {
    expect(boot("0", 0).values).toEqual([]);
  });

  test("not on a kernel without the setting, which boots all the same", () => {
    const { end, values } = boot(null, 9000);
    expect([end, values]).toMatchObject([{ mode: "switch_root" }, []]);
  });
});

describe("a medium that comes later", () => {
  const medium = rootImage();
  /** Boots with a drive that gets the root as its medium after some seconds, when the kernel says so. */
  const boot = (disk: FakeDisk) =>
    fakeBoot({
      cmdline: "root=LABEL=ROOT",
      images: [medium],
      disks: [disk],
      before(machine) {
        const { nextDeviceEvent } = machine;
        let isInserted = false;
        Object.assign(machine, {
          nextDeviceEvent(timeoutMs: number | null) {
            if (!isInserted && machine.nowMs() > 4000) {
              isInserted = true;
              machine.change(disk.name, medium.bytes);
            }
            return nextDeviceEvent(timeoutMs);
          },
        });
      },
    });

  for (const name of ["sr0", "sdb"]) {
    test(`into the empty drive ${name} is found`, () => {
      const { end, console } = boot({ name, content: new Uint8Array(), isRemovable: true });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(console).not.toContain("warning");
    });

    test(`in place of another one in ${name} is found`, () => {
      const { end } = boot({ name, content: OTHER.image.bytes, isRemovable: true });
      expect(end).toMatchObject({ mode: "switch_root" });
    });

    test(`in place of one without a filesystem in ${name} is found`, () => {
      const { end } = boot({ name, content: new Uint8Array(1 << 20), isRemovable: true });
      expect(end).toMatchObject({ mode: "switch_root" });
    });
  }
});
