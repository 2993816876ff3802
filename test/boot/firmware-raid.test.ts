import { expect, test } from "bun:test";
import { ELF, type FakeBootOptions, fakeBoot, ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { hibernatedSwap } from "../support/fake-hibernation.ts";
import { fakeImage } from "../support/fake-images.ts";
import { EXTENT_BYTES, type FakeGroup, fakeId, fakePhysicalVolume, groupText } from "../support/fake-lvm.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import type { FakeEnd } from "../support/fake-processes.ts";

const MODULES = "/lib/modules/6.1.0-fake";
const root = fakeImage("ext4", { label: "ROOT", sizeBytes: 2 << 20 }, ROOT_TREE);
const SWAP = "0e1f0a9c-1111-4000-8000-00000000cafe";
const LEVELS = ["md-mod", "raid0", "raid1", "raid10", "raid456"];
const FILES = {
  [`${MODULES}/modules.dep`]: LEVELS.map((name) => `kernel/${name}.ko:\n`).join(""),
  ...Object.fromEntries(LEVELS.map((name) => [`${MODULES}/kernel/${name}.ko`, "module"])),
};
const MDADM = { "/usr/sbin/mdadm": { data: ELF, mode: 0o755 } };

/** A disk that Intel's firmware has made a member of a mirror, whose partition it shows. */
function member(name: string, more: Partial<FakeDisk> = {}, image = root): FakeDisk {
  const end = Buffer.alloc(1024);
  end.write("Intel Raid ISM Cfg Sig. 1.1.00", "latin1");
  const partitions = [{ image }];
  return {
    name,
    content: Buffer.concat([partitionDisk(partitions).bytes, Buffer.alloc(2 << 20), end]),
    partitions,
    ...more,
  };
}

const DISKS = [member("vda"), member("vdb")];
const VOLUME: FakeDisk = { name: "md126", partitions: [{ image: root }] };

const pci = (place: number, name: string) => `/devices/pci0000:00/0000:00:0${place}.0/block/${name}`;
/** What the kernel shows of a container and of the volume in it: they count when they are there. */
const sysOf = (first: number) => ({
  ...Object.fromEntries(
    DISKS.flatMap(({ name }, index) =>
      ["md126", "md127"].map((array) => [`${pci(first + index, name)}/holders/${array}`, { directory: true as const }]),
    ),
  ),
  [`${pci(first + 2, "md126")}/md/metadata_version`]: "external:/md127/0\n",
  "/class/block/md127/md/metadata_version": "external:imsm\n",
});

/** What mdadm does with its arguments. */
type Does = (machine: FakeMachine, args: readonly string[]) => FakeEnd | undefined;

function boot(disks: readonly FakeDisk[], does: Does | null, more: FakeBootOptions = {}) {
  const runs: string[] = [];
  let machine: FakeMachine | null = null;
  const result = fakeBoot({
    cmdline: "root=LABEL=ROOT rd.timeout=12 rdshell=0",
    images: [root],
    files: { ...FILES, ...(does === null ? {} : MDADM) },
    modules: Object.fromEntries(LEVELS.map((name) => [name.replace("-", "_"), {}])),
    disks,
    before: (it) => {
      machine = it;
    },
    programs: {
      "/usr/sbin/mdadm": ({ argv, environment }) => {
        runs.push(argv.slice(1).join(" "));
        expect(environment).toMatchObject({ IMSM_NO_PLATFORM: "1" });
        return machine === null ? {} : (does?.(machine, argv.slice(1)) ?? {});
      },
    },
    sys: sysOf(1),
    ...more,
  });
  return { ...result, runs };
}

test("mdadm of the image is given each member, and what it starts is the root", () => {
  const { end, journal, runs, endMs } = boot(DISKS, (machine, args) => {
    if (args.at(-1) === "/dev/vdb") machine.plugIn({ ...VOLUME, arrivesAtMs: machine.nowMs() });
    return {};
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(runs).toEqual(["--incremental /dev/vda", "--incremental /dev/vdb"]);
  expect(journal).toContain("mount ext4 /dev/md126p1 at /sysroot (ro)");
  expect(endMs).toBeLessThan(3000);
});

test("a mirror that lacks a member is started when that has been waited for", () => {
  const { end, journal, runs, console } = boot(DISKS.slice(0, 1), (machine, args) => {
    // The place of a second disk.
    if (args.includes("--run")) {
      machine.plugIn({ name: "vdx", arrivesAtMs: machine.nowMs() });
      machine.plugIn({ ...VOLUME, arrivesAtMs: machine.nowMs() });
    }
    return {};
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(runs).toEqual(["--incremental /dev/vda", "--incremental --run /dev/md127"]);
  expect(journal).toContain("mount ext4 /dev/md126p1 at /sysroot (ro)");
  expect(console).toMatch(/waiting for the members of an array of Intel's firmware \(IMSM\), 2 of \d+ s/);
});

test("without mdadm, half a mirror is not used, unless rd.md=0 says that it is none", () => {
  const { end, console } = boot(DISKS, null);
  expect(end).toBe("halt");
  expect(console).toMatch(
    /\/dev\/vda is a member of an array of Intel's firmware .IMSM., which mdadm\s+starts, and the image has no mdadm/,
  );
  expect(console).toContain('add it: programs = ["/usr/sbin/mdadm", "/usr/sbin/mdmon"] in');
  const { journal, runs } = boot(DISKS, () => ({}), { cmdline: "root=LABEL=ROOT rd.md=0" });
  expect(journal).toContain("mount ext4 /dev/vda1 at /sysroot (ro)");
  expect(runs).toEqual([]);
});

test("what mdadm says against a member is reported", () => {
  const { end, console } = boot(DISKS, () => ({ status: 1, output: "mdadm: no RAID superblock on the disk\n" }));
  expect(end).toBe("halt");
  expect(console).toMatch(/which mdadm has\s+not started: mdadm: no RAID superblock on the disk/);
});

test("an array that the root is not in is stopped again, with its container", () => {
  const plugIn: Does = (machine, args) => {
    if (args.at(-1) === "/dev/vdb") {
      machine.plugIn({ ...VOLUME, arrivesAtMs: machine.nowMs() });
      machine.plugIn({ name: "md127", arrivesAtMs: machine.nowMs() });
    }
    return {};
  };
  const { "/class/block/md127/md/metadata_version": metadata, ...others } = sysOf(1);
  const sys = { ...others, [`${pci(4, "md127")}/md/metadata_version`]: metadata };
  const other = { name: "vdz", image: rootImage("OTHER"), arrivesAtMs: 6000 };
  const stopped = boot([...DISKS, other], plugIn, { cmdline: "root=LABEL=OTHER", sys });
  expect(stopped.end).toMatchObject({ mode: "switch_root" });
  expect(stopped.runs.at(-1)).toBe("--stop /dev/md126 /dev/md127");
  const used = boot(DISKS, plugIn, { sys });
  expect(used.end).toMatchObject({ mode: "switch_root" });
  expect(used.runs).toEqual(["--incremental /dev/vda", "--incremental /dev/vdb"]);
});

test("what lies on an array that the root is not in is closed before mdadm is to stop it", () => {
  const group: FakeGroup = {
    members: { pv0: fakeId("a") },
    volumes: { data: { segments: [{ on: "pv0", from: 0, extents: 1 }] } },
  };
  const content = fakePhysicalVolume({ id: fakeId("a"), text: groupText(group), data: new Uint8Array(EXTENT_BYTES) });
  const { "/class/block/md127/md/metadata_version": metadata, ...others } = sysOf(1);
  const open: number[] = [];
  const { end, journal } = boot(
    [...DISKS, { name: "vdz", image: rootImage("OTHER"), arrivesAtMs: 15_000 }],
    (machine, args) => {
      if (args[0] === "--stop") open.push(machine.listMappings().length);
      if (args.at(-1) !== "/dev/vdb") return {};
      machine.plugIn({ name: "md126", content, arrivesAtMs: machine.nowMs() });
      machine.plugIn({ name: "md127", arrivesAtMs: machine.nowMs() });
      return {};
    },
    {
      cmdline: "root=LABEL=OTHER rdshell=0",
      files: {
        ...FILES,
        ...MDADM,
        [`${MODULES}/modules.dep`]: [...LEVELS, "dm-mod"].map((name) => `kernel/${name}.ko:\n`).join(""),
        [`${MODULES}/kernel/dm-mod.ko`]: "module",
      },
      modules: {
        ...Object.fromEntries(LEVELS.map((name) => [name.replace("-", "_"), {}])),
        dm_mod: CRYPT_MODULES.dm_mod,
      },
      sys: { ...others, [`${pci(4, "md127")}/md/metadata_version`]: metadata },
    },
  );
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal).toContain("unmap vg0-data");
  expect(open).toEqual([0]);
});

test("a mdadm that hangs holds up no other disk", () => {
  const disks = [...DISKS, { name: "vdc", image: rootImage("OTHER") }];
  const { end, endMs } = boot(disks, () => ({ tookMs: Number.POSITIVE_INFINITY }), { cmdline: "root=LABEL=OTHER" });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBeLessThan(5000);
});

test("mdadm is given no stick: one that claims to be a newer member would push the machine's disks out", () => {
  const disks = [member("sda", { isRemovable: true }, fakeImage("ext4", { label: "OTHER" })), ...DISKS];
  const { end, runs } = boot(
    disks,
    (machine, args) => {
      if (args.at(-1) === "/dev/vdb") machine.plugIn({ ...VOLUME, arrivesAtMs: machine.nowMs() });
      return {};
    },
    { sys: sysOf(2) },
  );
  expect(runs).toEqual(["--incremental /dev/vda", "--incremental /dev/vdb"]);
  expect(end).toMatchObject({ mode: "switch_root" });
});

test("a member on a stick is reported", () => {
  const { runs, console } = boot([member("sda", { isRemovable: true })], () => ({}));
  expect(runs).toEqual([]);
  expect(console.replaceAll(/\s+/g, " ")).toContain("which mdadm has not started: it is on a removable disk");
});

test("mdadm starts nothing before a resume while the swap space is waited for", () => {
  const swap: FakeDisk = { name: "vdc", image: hibernatedSwap(SWAP), arrivesAtMs: 5000 };
  const { end, runs } = boot([...DISKS, swap], () => ({}), { cmdline: `root=LABEL=ROOT resume=UUID=${SWAP}` });
  expect(end).toBe("resume");
  expect(runs).toEqual([]);
});

test("mdadm starts the array on which the swap space is", () => {
  const swap = hibernatedSwap(SWAP);
  const disks = DISKS.map(({ name }) => member(name, {}, swap));
  const { end, journal } = boot(
    disks,
    (machine, args) => {
      const volume = { ...VOLUME, partitions: [{ image: swap }], arrivesAtMs: machine.nowMs() };
      if (args.at(-1) === "/dev/vdb") machine.plugIn(volume);
      return {};
    },
    { cmdline: `root=LABEL=ROOT resume=UUID=${SWAP}` },
  );
  expect(end).toBe("resume");
  expect(journal).toContain("write /sys/power/resume");
});

test("an array that is just being stopped, of which the kernel says EBUSY, does not end the boot", () => {
  const { end } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [{ name: "vda", image: root }],
    sys: { "/class/block/md9/md/metadata_version": "1.2\n" },
    before: (machine) => machine.refuse("readFile", /md9\/md\/metadata_version/, "EBUSY"),
  });
  expect(end).toMatchObject({ mode: "switch_root" });
});
