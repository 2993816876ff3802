import { describe, expect, test } from "bun:test";
import { type FakeBoot, type FakeBootOptions, fakeBoot, ROOT_TREE, rootImage, stick } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { refusalBoots, refuseCall } from "../support/refuse-call.ts";

// Every call of a boot is refused once, one boot each. The boot must report it and continue after the shell's `exit`, or do without.
// A call that comes again from the same lines, as those of a search that looks at the disks once more, is refused the first time;
// with other errors than EIO, and without a shell, the lines nearest to it decide.

const exit = () => undefined;

function bootWatched(options: FakeBootOptions, before: (machine: FakeMachine) => void): FakeBoot {
  const look = (machine: FakeMachine) => {
    expect(machine.stat("/dev/console")?.kind).toBe("character");
    expect(machine.stat("/init")?.kind).toBe("file");
    expect(machine.stat("/proc/self/mountinfo")?.kind).toBe("file");
  };
  return fakeBoot({ ...options, before, person: [look, exit] });
}

const { refused, recorded } = refusalBoots(bootWatched);

/** The kernel's refusal; or what follows if /sys hides a disk, or an init cannot be checked. */
const WHY = /\(E[A-Z]+\)|failed with E[A-Z]+|could not find the (root device|layer LABEL=TOP)/;

/** A list of modules that does not exist is empty, and stays so until the boot is planned again. */
function isOptional(call: string): boolean {
  return /^readFile \/lib\/modules\//.test(call);
}

/** An initrd whose key files cannot be listed is unmounted. */
function expectSameEnd(boot: Pick<FakeBoot, "console" | "end">, whole: Pick<FakeBoot, "end">, about: string): void {
  const isDropped = /the\s+old\s+root\s+is\s+not\s+kept/.test(boot.console);
  if (isDropped) expect(boot.end, about).toHaveProperty("putOld", null);
  else expect(boot.end, about).toEqual(whole.end);
}

/** Returns new options for each boot: images are distinguished by their bytes. */
const BOOTS: Readonly<Record<string, () => FakeBootOptions>> = {
  "a plain root": () => ({
    cmdline: "root=PARTLABEL=root rw rd.modules=loop",
    disks: [{ name: "vda", partitions: [{ image: rootImage(), name: "root" }] }],
    files: {
      "/etc/levain.json": '{"version":1,"kernel":null,"parameters":[]}',
      "/sbin/fsck.ext4": { data: "x", mode: 0o755 },
    },
    programs: { "/sbin/fsck.ext4": () => ({ status: 1, output: "mended\n" }) },
  }),
  "an image in RAM below an overlay": () => {
    const { disk, squashfs } = stick();
    return {
      cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=tmpfs:size=50% rd.live.ram",
      disks: [{ name: "sda", partitions: [{ image: disk }], arrivesAtMs: 2000 }],
      images: [squashfs],
    };
  },
  "a classic initrd": () => ({
    cmdline: "root=LABEL=ROOT rd.putold=/initrd",
    rootType: "ext2",
    files: { "/sys": { directory: true }, "/run": { directory: true }, "/sysroot": { directory: true } },
    disks: [{ name: "vda", image: rootImage("ROOT", { "/initrd": { directory: true } }) }],
  }),
  "an ISO file with layers, in RAM": () => {
    const [base, top] = [fakeImage("squashfs", {}, ROOT_TREE), fakeImage("squashfs", {}, { "/etc/top": "yes" })];
    const live = { "/live/1.squashfs": base.bytes, "/live/2.squashfs": top.bytes };
    const iso = fakeImage("squashfs", {}, { ...live, "/live/filesystem.module": "1.squashfs 2.squashfs\n" });
    return {
      cmdline: "boot=live findiso=/d.iso toram",
      disks: [
        { name: "vda", image: rootImage("OTHER") },
        { name: "vdb", image: fakeImage("ext4", { label: "ISOS" }, { "/d.iso": iso.bytes }) },
      ],
      images: [iso, base, top],
    };
  },
  "a live image with the root's image inside": () => {
    const root = rootImage("INNER");
    const outer = fakeImage("squashfs", {}, { "/LiveOS/rootfs.img": root.bytes });
    return {
      cmdline: "root=live:LABEL=LIVE",
      disks: [{ name: "sda", image: fakeImage("vfat", { label: "LIVE" }, { "/LiveOS/squashfs.img": outer.bytes }) }],
      images: [outer, root],
    };
  },
  "a device and a layer on another": () => ({
    cmdline: "root=LABEL=ROOT rd.layer=LABEL=TOP rd.overlay=0",
    disks: [
      { name: "vda", image: rootImage() },
      { name: "vdb", image: fakeImage("ext4", { label: "TOP" }, { "/etc/top": "yes" }), arrivesAtMs: 1000 },
    ],
  }),
  "a system to stay in": () => ({ files: { "/sbin/init": { data: "#!/bin/busybox\n", mode: 0o755 } } }),
};

for (const [name, options] of Object.entries(BOOTS)) {
  describe(name, () => {
    const whole = recorded(options());
    const calls = [...whole.calls.entries()].filter(([, { isNew }]) => isNew);
    const fresh = calls.filter(([, { isNewNearby }]) => isNewNearby);

    test("boots without a refusal", () => {
      expect(whole.end).toBeObject();
      expect(whole.shells).toBe(0);
      expect(fresh.length).toBeGreaterThan(10);
    });

    const expectContinued = (number: number, text: string, code: string): void => {
      const boot = refused(options(), number, code);
      const about = `${number}: ${text} → ${code}\n${boot.console}`;
      expect(boot.console, about).not.toMatch(/bug in levain|undefined|\[object/);
      expectSameEnd(boot, whole, about);
      expect(boot.shells, about).toBeLessThanOrEqual(1);
      if (boot.shells === 1) expect(boot.console, about).toMatch(WHY);
      // Nothing is mounted twice, or left behind by the first try.
      if (code !== "EIO" || boot.shells === 0 || /^(unmount|detachLoop)/.test(text)) return;
      expect(boot.mounts, `${about}\n${boot.journal.join("\n")}`).toEqual(whole.mounts);
    };

    test("if any call is refused with EIO, the boot says so and continues after the shell, or does without", () => {
      for (const [number, { text }] of calls) expectContinued(number, text, "EIO");
    });

    test("the same with ENOENT and EBUSY", () => {
      for (const [number, { text }] of fresh) {
        if (!isOptional(text)) expectContinued(number, text, "ENOENT");
        expectContinued(number, text, "EBUSY");
      }
    });

    test("without a shell, no failure advises what needs one", () => {
      const { cmdline = "" } = options();
      for (const [number] of fresh) {
        const before = (machine: FakeMachine) => void refuseCall(machine, number, "EIO");
        expect(fakeBoot({ ...options(), cmdline: `${cmdline} rdshell=0`, before }).shells).toBe(0);
      }
    });
  });
}
