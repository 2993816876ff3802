import { beforeAll, describe, expect, test } from "bun:test";
import { retryBoot } from "../../src/rescue/commands/retry.ts";
import { type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import { hibernatedSwap, hibernateLocation, swapImage } from "../support/fake-hibernation.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import { INTEGRITY_MODULES } from "../support/fake-integrity.ts";
import { EXTENT_BYTES, extentsOf, type FakeGroup, fakeId, fakePhysicalVolume, groupText } from "../support/fake-lvm.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { CRYPT_IMAGE, cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";
import { editJson } from "../support/luks/luks2-edit.ts";
import { rememberArrays } from "../support/remembered-arrays.ts";

// Whole boots of machines that were hibernated, or were not.

const UUID = "0e1f0a9c-1111-4000-8000-00000000cafe";
const LUKS = "6c657661-696e-4000-8000-00000000dddd";
const MISMATCH = ["PM: hibernation: Image mismatch: memory size", "PM: hibernation: Failed to load image, recovering."];
const CMDLINE = `root=LABEL=ROOT rw resume=UUID=${UUID}`;

/** A root in use is not unmounted: its journal holds changes. */
const rootOf = (isUnclean: boolean) => fakeImage("ext4", { label: "ROOT", isUnclean }, ROOT_TREE);

function boot(swap: FakeImage, more: FakeBootOptions = {}, isUnclean = true) {
  return fakeBoot({
    cmdline: CMDLINE,
    disks: [{ name: "vda", partitions: [{ image: rootOf(isUnclean) }, { image: swap }] }],
    ...more,
  });
}

type Booted = ReturnType<typeof boot>;
const bytesAt = ({ machine }: Booted, from: number, to: number) =>
  Buffer.from(machine.disk("vda2")?.content.subarray(from, to) ?? []).toString("latin1");
const signature = (result: Booted) => bytesAt(result, 4086, 4096).replace(/\0+$/, "");
const touched = ({ journal }: Booted) => journal.filter((line) => / at \/sysroot|fsck|protect/.test(line));

describe("a hibernated system", () => {
  test("is resumed before its filesystems are checked, mounted or even read for writing", () => {
    const result = boot(hibernatedSwap(UUID));
    expect(result.end).toBe("resume");
    expect(result.console).toContain("resuming the hibernated system on /dev/vda2");
    expect(touched(result)).toEqual([]);
    expect(result.journal.filter((line) => line.includes("/sys/power"))).toEqual([
      "write /sys/power/resume_offset",
      "write /sys/power/resume",
    ]);
  });

  test.each([
    ["/dev/vda2"],
    ["swap:/dev/vda2"],
    ["PARTUUID=c0ffee00-0000-4000-8000-000000000002"],
    [`/dev/disk/by-uuid/${UUID}`],
  ])("is found by resume=%s", (name) => {
    const partitions = [
      { image: rootOf(true) },
      { image: hibernatedSwap(UUID), uuid: "c0ffee00-0000-4000-8000-000000000002" },
    ];
    const disks = [{ name: "vda", partitions }];
    expect(fakeBoot({ cmdline: `root=LABEL=ROOT resume=${name}`, disks }).end).toBe("resume");
  });

  test("is found by the EFI variable in which systemd names it", () => {
    const value = JSON.stringify({ uuid: UUID.replaceAll("-", ""), offset: 0, kernelVersion: "6.1.0-fake" });
    const result = boot(hibernatedSwap(UUID), { cmdline: "root=LABEL=ROOT", ...hibernateLocation(value) });
    expect(result.end).toBe("resume");
  });

  test("is not looked for in that variable if the root was unmounted", () => {
    const value = JSON.stringify({ uuid: UUID, offset: 0 });
    const result = boot(hibernatedSwap(UUID), { cmdline: "root=LABEL=ROOT rw", ...hibernateLocation(value) }, false);
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.journal.filter((line) => line.includes("efivarfs") || line.includes("/sys/power"))).toEqual([]);
  });

  test("in a place that does not appear, as that variable says, is not called that of a parameter", () => {
    const value = JSON.stringify({ uuid: UUID.replace("cafe", "beef"), offset: 0 });
    const result = boot(swapImage(UUID), { cmdline: "root=LABEL=ROOT rw", ...hibernateLocation(value) });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console.replace(/\s+/g, " ")).toContain(
      "where systemd hibernated (HibernateLocation), did not appear",
    );
    expect(result.console).not.toContain("resume=");
  });

  test("of another kernel, as that variable says, is kept", () => {
    const value = JSON.stringify({ uuid: UUID, offset: 0, kernelVersion: "6.1.0-other" });
    const result = boot(hibernatedSwap(UUID), {
      cmdline: "root=LABEL=ROOT rd.resume.policy=stop",
      ...hibernateLocation(value),
    });
    expect(result.console).toContain("it was hibernated with Linux 6.1.0-other, and this is another kernel");
    expect(touched(result)).toEqual([]);
    expect(signature(result)).toBe("S1SUSPEND");
  });

  test.each(["{", '{"uuid": 7, "offset": 0}', `{"uuid": "${UUID}", "offset": -1}`, "null"])(
    "is not looked for if that variable is malformed: %s",
    (value) => {
      const result = boot(swapImage(UUID), { cmdline: "root=LABEL=ROOT rw", ...hibernateLocation(value) });
      expect(result.end).toMatchObject({ mode: "switch_root" });
      expect(result.console).toContain("HibernateLocation does not name a device and an offset, ignoring it");
    },
  );

  test("in a swap file is found by its offset", () => {
    const file = fakeImage("ext4", { label: "ROOT", isUnclean: true, sizeBytes: 1 << 20 }, ROOT_TREE);
    file.bytes.set(hibernatedSwap(UUID).bytes, 40 * 4096);
    const cmdline = "root=LABEL=ROOT resume=LABEL=ROOT resume_offset=40";
    const result = fakeBoot({ cmdline, disks: [{ name: "vda", image: file }] });
    expect(result.end).toBe("resume");
    expect(touched(result)).toEqual([]);
  });

  test("on a disk that comes late is waited for, and the root is not touched before", () => {
    const disks = [
      { name: "vda", image: rootOf(true) },
      { name: "vdb", image: hibernatedSwap(UUID), arrivesAtMs: 7000 },
    ];
    const result = fakeBoot({ cmdline: CMDLINE, disks });
    expect(result.end).toBe("resume");
    expect(touched(result)).toEqual([]);
    expect(result.console).toContain(`waiting for UUID=${UUID}, 1 of 10 s`);
  });
});

describe("a hibernated system that cannot be resumed", () => {
  const refused = { hibernation: { refusal: MISMATCH } };

  test("stops the boot, and its image stays for the kernel that fits", () => {
    const result = boot(hibernatedSwap(UUID), { ...refused, cmdline: `${CMDLINE} rd.resume.policy=stop` });
    expect(result.end).toBe("poweroff");
    expect(result.shells).toBe(1);
    expect(result.console).toContain("/dev/vda2 holds a hibernated system that could not be resumed");
    expect(result.console).toContain("the machine or its kernel has changed since it was hibernated: memory size");
    expect(touched(result)).toEqual([]);
    expect(signature(result)).toBe("S1SUSPEND");
  });

  test("is discarded by rd.resume.policy=discard", () => {
    const result = boot(hibernatedSwap(UUID), { ...refused, cmdline: `${CMDLINE} rd.resume.policy=discard` });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain("discarded the hibernated system on /dev/vda2");
    expect(signature(result)).toBe("SWAPSPACE2");
  });

  test.each([
    ["y", { mode: "switch_root" }, "SWAPSPACE2"],
    ["n", "poweroff", "S1SUSPEND"],
  ] as const)("is asked for: %s", (key, end, left) => {
    const result = boot(hibernatedSwap(UUID), {
      ...refused,
      typing: [{ terminal: "/dev/ttyS0", text: key, atMs: 5000 }],
    });
    if (typeof end === "string") expect(result.end).toBe(end);
    else expect(result.end).toMatchObject(end);
    expect(signature(result)).toBe(left);
    if (key === "n") expect(touched(result)).toEqual([]);
  });

  test("is discarded by `levain retry`, and then the boot goes on", () => {
    const result = boot(hibernatedSwap(UUID), {
      ...refused,
      cmdline: `${CMDLINE} rd.resume.policy=stop`,
      person: [(machine) => retryBoot(machine, ["rd.resume.policy=discard"])],
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(signature(result)).toBe("SWAPSPACE2");
  });

  test("stops a boot that ends without a shell", () => {
    const result = boot(hibernatedSwap(UUID), { ...refused, cmdline: `${CMDLINE} rdshell=0` });
    expect(result.end).toBe("halt");
    expect(touched(result)).toEqual([]);
  });

  test.each([
    ["ULSUSPEND", "uswsusp made the image"],
    ["LINHIB0001", "uswsusp made the image"],
    ["S2SUSPEND", "Software Suspend 2 made the image"],
  ])("because the kernel did not make it: %s", (mark, words) => {
    const result = boot(hibernatedSwap(UUID, mark), { cmdline: `${CMDLINE} rd.resume.policy=stop` });
    expect(result.console).toContain(words);
    expect(result.journal.join("\n")).not.toContain("/sys/power/resume");
    expect(signature(result)).toBe(mark);
  });

  test.each([
    [{ isBuilt: false }, "this kernel was built without CONFIG_HIBERNATION"],
    [{ isDisabled: true }, "hibernation is switched off"],
    [{ refusal: [] }, "the kernel does not say why"],
    [
      { refusal: ["Hibernate inconsistent memory map detected!", "PM: Image mismatch: architecture specific data"] },
      "the firmware's memory map has changed",
    ],
    [
      { refusal: ["PM: hibernation: Not enough free memory"] },
      "the machine has too little free memory to read the image",
    ],
    [
      { refusal: ["Freezing of tasks failed after 20.003 seconds (1 tasks refusing to freeze, wq_busy=0):"] },
      "stopped",
    ],
    // Since Linux 6.9, which knows LZ4.
    [{ refusal: ["PM: Invalid lz4 compressed length"] }, "the image is damaged or incomplete"],
    [{ refusal: ["PM: Invalid lzo uncompressed length"] }, "the image is damaged or incomplete"],
  ])("says why: %j", (hibernation, words) => {
    const result = boot(hibernatedSwap(UUID), { hibernation, cmdline: `${CMDLINE} rd.resume.policy=stop` });
    expect(result.console).toContain(words);
    expect(signature(result)).toBe("S1SUSPEND");
  });

  test("is not discarded if its image does not have the signature of the swap space", () => {
    const swap = swapImage(UUID, { signature: "ULSUSPEND", before: "\0".repeat(10) });
    const result = boot(swap, { cmdline: `${CMDLINE} rd.resume.policy=discard` });
    expect(result.console).toContain("could not discard the hibernated system on /dev/vda2");
    expect(touched(result)).toEqual([]);
  });

  test("is not discarded if the disk refuses", () => {
    const result = boot(hibernatedSwap(UUID), {
      hibernation: { isDisabled: true },
      cmdline: `${CMDLINE} rd.resume.policy=discard`,
      before: (machine) => machine.refuse("writeDevice", "", "EIO"),
    });
    expect(result.console).toContain("could not discard the hibernated system on /dev/vda2");
    expect(touched(result)).toEqual([]);
  });
});

describe("noresume", () => {
  test.each(["noresume", "hibernate=noresume", "hibernate=no", "nohibernate"])("%s discards the image", (word) => {
    const result = boot(hibernatedSwap(UUID), { cmdline: `${CMDLINE} ${word}` });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(signature(result)).toBe("SWAPSPACE2");
    expect(result.journal.join("\n")).not.toContain("/sys/power/resume");
  });

  test("hibernate=nocompress is another thing", () => {
    expect(boot(hibernatedSwap(UUID), { cmdline: `${CMDLINE} hibernate=nocompress` }).end).toBe("resume");
  });
});

describe("without a hibernated system", () => {
  test("the boot says so and goes on", () => {
    const result = boot(swapImage(UUID));
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain("  resume    no hibernated system on /dev/vda2");
    expect(result.journal.join("\n")).not.toContain("/sys/power/resume");
  });

  test("a device that does not come is waited for, and not longer", () => {
    const result = boot(swapImage(UUID), { cmdline: "root=LABEL=ROOT rw resume=UUID=1234" });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain("UUID=1234 of resume= did not appear, booting without it;");
    expect(result.endMs).toBeLessThan(14_000);
  });

  test("a device that is no swap space is named", () => {
    const result = boot(fakeImage("vfat", { label: "EFI" }), { cmdline: "root=LABEL=ROOT rw resume=LABEL=EFI" });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain('LABEL=EFI of resume= is no swap space: /dev/vda2 vfat "EFI"');
  });

  test("a device that cannot be read is named", () => {
    const result = boot(hibernatedSwap(UUID), {
      before: (machine) => machine.refuse("openReader", "", "EIO"),
    });
    expect(result.console).toContain("/dev/vda2 of resume= cannot be read");
  });

  test("resume=none asks for nothing", () => {
    const result = boot(swapImage(UUID), { cmdline: "root=LABEL=ROOT resume=none" });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).not.toContain("  resume ");
  });
});

describe("a hibernated system that no parameter names", () => {
  const cmdline = "root=LABEL=ROOT rw rd.resume.policy=stop";

  test("keeps a root in use from being mounted", () => {
    const result = boot(hibernatedSwap(UUID), { cmdline });
    expect(result.console).toContain("/dev/vda2 holds a hibernated system that may use /dev/vda1");
    expect(result.console).toContain(`resume=UUID=${UUID}`);
    expect(touched(result)).toEqual([]);
    expect(signature(result)).toBe("S1SUSPEND");
  });

  test("is discarded by policy", () => {
    const result = boot(hibernatedSwap(UUID), { cmdline: "root=LABEL=ROOT rw rd.resume.policy=discard" });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(signature(result)).toBe("SWAPSPACE2");
  });

  test("is another system's if the root was unmounted", () => {
    const result = boot(hibernatedSwap(UUID), { cmdline }, false);
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain("was unmounted before, so it is not part of it");
    expect(signature(result)).toBe("S1SUSPEND");
  });

  test("keeps a store in use from being mounted", () => {
    const store = fakeImage("ext4", { label: "DATA", sizeBytes: 64 << 20, isUnclean: true });
    const disks = [
      { name: "vda", image: rootOf(true) },
      { name: "vdb", partitions: [{ image: store }, { image: hibernatedSwap(UUID) }] },
    ];
    const result = fakeBoot({ cmdline: `${cmdline} rd.overlay=LABEL=DATA`, disks });
    expect(result.console).toContain("/dev/vdb2 holds a hibernated system that may use /dev/vdb1");
    expect(result.journal.filter((line) => line.startsWith("mount ext4 /dev/vdb1"))).toEqual([]);
  });

  test.each([
    ["", "poweroff"],
    [",nofail", { mode: "switch_root" }],
  ] as const)("keeps what is mounted below the root from another disk from being mounted%s", (options, end) => {
    const line = `LABEL=DATA /srv ext4 x-initrd.mount${options}\n`;
    const tree = {
      ...ROOT_TREE,
      "/etc": { directory: true },
      "/etc/fstab": line,
      "/srv": { directory: true },
    } as const;
    const data = (isUnclean: boolean) => fakeImage("ext4", { label: "DATA", isUnclean });
    const disks = (isUnclean: boolean) => [
      { name: "vda", image: fakeImage("ext4", { label: "ROOT" }, tree) },
      { name: "vdb", partitions: [{ image: data(isUnclean) }, { image: hibernatedSwap(UUID) }] },
    ];
    const mounted = (result: Booted) => result.journal.filter((one) => one.startsWith("mount ext4 /dev/vdb1"));
    const result = fakeBoot({ cmdline, disks: disks(true) });
    expect(result.console).toContain("/dev/vdb2 holds a hibernated system that may use /dev/vdb1");
    expect(mounted(result)).toEqual([]);
    if (typeof end === "string") expect(result.end).toBe(end);
    else expect(result.end).toMatchObject(end);
    expect(mounted(fakeBoot({ cmdline, disks: disks(false) }))).toHaveLength(1);
  });

  test("on another disk is none of the root's business", () => {
    const disks = [
      { name: "vda", image: rootOf(true) },
      { name: "vdb", image: hibernatedSwap(UUID) },
    ];
    expect(fakeBoot({ cmdline, disks }).end).toMatchObject({ mode: "switch_root" });
  });
});

describe("in an encrypted volume", () => {
  const ROOT_LUKS = "0a1b2c3d-0000-4000-8000-00000000beef";
  let inside: FakeImage;
  const swap = hibernatedSwap(UUID);
  const format = `cryptsetup luksFormat -q --type luks2 --sector-size 512 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2 --uuid ${LUKS} ${CHEAP} $1 key`;
  beforeAll(async () => {
    inside = await luksDisk({ name: "boot-resume", script: format }, swap);
  });
  const encrypted = (more: FakeBootOptions = {}) =>
    cryptBoot({
      cmdline: `rd.luks.name=${LUKS}=cryptswap root=LABEL=ROOT resume=UUID=${UUID}`,
      disks: [{ name: "vda", partitions: [{ image: rootOf(true) }, { image: inside }] }],
      images: [swap],
      typing: typed("pass"),
      ...more,
    });

  test("the volume is opened first, under its name, and its passphrase wiped before the resume", () => {
    rememberArrays((remembered) => {
      const result = encrypted();
      expect(result.end).toBe("resume");
      expect(result.console).toContain("resuming the hibernated system on /dev/mapper/cryptswap");
      expect(touched(result)).toEqual([]);
      expect(remembered.filter((bytes) => Buffer.from(bytes).toString() === "pass")).toEqual([]);
    });
  });

  test.each([
    ["swap", [LUKS, ROOT_LUKS]],
    ["root", [ROOT_LUKS, LUKS]],
  ])("one passphrase is asked for once, if that of the %s is named first", async (_, order) => {
    const plainSwap = swapImage(UUID);
    const [swapDisk, rootDisk] = [await luksDisk({ name: "boot-resume", script: format }, plainSwap), rootOf(false)];
    const rootScript = format.replace(LUKS, ROOT_LUKS);
    const rootInside = await luksDisk({ name: "boot-resume-root", script: rootScript }, rootDisk);
    const names: Readonly<Record<string, string>> = { [LUKS]: "cryptswap", [ROOT_LUKS]: "cryptroot" };
    const result = encrypted({
      cmdline: `${order.map((uuid) => `rd.luks.name=${uuid}=${names[uuid]}`).join(" ")} root=LABEL=ROOT resume=UUID=${UUID}`,
      disks: [{ name: "vda", partitions: [{ image: rootInside }, { image: swapDisk }] }],
      images: [plainSwap, rootDisk],
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.machine.terminals.screen("/dev/ttyS0").match(/passphrase: /g)).toHaveLength(1);
    expect(result.console).toContain("no hibernated system on /dev/mapper/cryptswap");
  });

  test("a stick with the same UUID is not resumed", () => {
    const stick = { name: "sda", image: hibernatedSwap(UUID), isRemovable: true };
    const result = encrypted({
      disks: [stick, { name: "vda", partitions: [{ image: rootOf(true) }, { image: inside }] }],
    });
    expect(result.console).toContain("not resuming from /dev/sda");
    expect(result.console).toContain("resuming the hibernated system on /dev/mapper/cryptswap");
  });

  test("a stick is not resumed if the root itself is a LUKS volume, without another parameter", () => {
    const stick = { name: "sda", image: hibernatedSwap(UUID), isRemovable: true };
    const result = encrypted({
      cmdline: `root=UUID=${LUKS} resume=UUID=${UUID} rd.resume.timeout=1 rdshell=0`,
      disks: [stick, { name: "vda", partitions: [{ image: inside }] }],
    });
    expect(result.console).toContain("not resuming from /dev/sda");
    expect(result.end).not.toBe("resume");
  });

  test("a stick is not resumed while the root, which may be a LUKS volume, has not appeared", () => {
    const stick = { name: "sda", image: hibernatedSwap(UUID), isRemovable: true };
    const result = encrypted({
      cmdline: `root=UUID=${LUKS} resume=UUID=${UUID} rdshell=0`,
      disks: [stick, { name: "vda", partitions: [{ image: inside }], arrivesAtMs: 3000 }],
    });
    expect(result.console).toContain("not resuming from /dev/sda");
    expect(result.end).not.toBe("resume");
  });

  test("a stick is resumed if the root has appeared and is not encrypted", () => {
    const stick = { name: "sda", image: hibernatedSwap(UUID), isRemovable: true };
    const disks = [stick, { name: "vda", image: rootOf(true), arrivesAtMs: 3000 }];
    expect(encrypted({ cmdline: CMDLINE, disks }).end).toBe("resume");
  });

  test("a logical volume on a stick with the same UUID is not resumed", () => {
    const group: FakeGroup = {
      members: { pv0: fakeId("a") },
      volumes: { swap: { segments: [{ on: "pv0", from: 0, extents: extentsOf(swap.bytes) }] } },
    };
    const content = fakePhysicalVolume({ id: fakeId("a"), text: groupText(group), data: swap.bytes });
    const image = { ...swap, bytes: Buffer.concat([swap.bytes], extentsOf(swap.bytes) * EXTENT_BYTES) };
    const result = encrypted({
      disks: [
        { name: "sda", content, isRemovable: true },
        { name: "vda", partitions: [{ image: rootOf(true) }, { image: inside }] },
      ],
      images: [image],
    });
    expect(result.console).not.toContain("resuming the hibernated system on /dev/mapper/vg0-swap");
    expect(result.console).toContain("not resuming from /dev/mapper/vg0-swap");
    expect(result.console).toContain("resuming the hibernated system on /dev/mapper/cryptswap");
  });

  test("with the root beside it in the volume, one passphrase is enough", async () => {
    const root = rootOf(true);
    const { bytes } = partitionDisk([{ image: root }, { image: swapImage(UUID) }]);
    const both = await luksDisk({ name: "boot-resume-both", script: format }, { type: "gpt", bytes, root: root.root });
    const result = encrypted({ disks: [{ name: "vda", image: both }], images: [root] });
    expect(result.console).toContain("  resume    no hibernated system on /dev/mapper/cryptswap2");
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.machine.terminals.screen("/dev/ttyS0").split("  unlock    ")).toHaveLength(2);
  });

  test("nothing is asked for a volume with dm-integrity, whose journal the kernel replays, before a resume from where systemd's variable says", async () => {
    const root = rootOf(true);
    const plain = await luksDisk({ name: "boot-resume-root", script: format.replace(LUKS, ROOT_LUKS) }, root);
    const bytes = editJson(plain.bytes, ({ segments }) => {
      segments[0].integrity = { type: "none", journal_encryption: "none", journal_integrity: "none" };
    });
    const dep = "/lib/modules/6.1.0-fake/modules.dep";
    const result = encrypted({
      cmdline: `root=UUID=${ROOT_LUKS}`,
      disks: [
        { name: "vda", image: { ...plain, bytes } },
        { name: "vdb", image: swap },
      ],
      modules: { ...CRYPT_IMAGE.modules, ...INTEGRITY_MODULES },
      files: {
        [dep]: `${CRYPT_IMAGE.files[dep]}kernel/dm-integrity.ko: kernel/drivers/md/dm-mod.ko\n`,
        "/lib/modules/6.1.0-fake/kernel/dm-integrity.ko": "module",
      },
      typing: [],
      ...hibernateLocation(JSON.stringify({ uuid: UUID, offset: 0 })),
    });
    expect(result.end).toBe("resume");
    expect(result.machine.terminals.screen("/dev/ttyS0")).not.toContain("passphrase");
  });

  test("noresume asks for no passphrase", () => {
    const cmdline = `rd.luks.name=${LUKS}=cryptswap rd.luks.options=nofail root=LABEL=ROOT resume=UUID=${UUID} noresume`;
    const result = encrypted({ cmdline, typing: [] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });
});

describe("in a logical volume", () => {
  const root = rootOf(true);
  const extents = Math.max(4, extentsOf(root.bytes));
  const rootBytes = Buffer.concat([root.bytes], extents * EXTENT_BYTES);
  const id = fakeId("a");
  const group: FakeGroup = {
    members: { pv0: id },
    volumes: {
      root: { segments: [{ on: "pv0", from: 0, extents }] },
      swap: { segments: [{ on: "pv0", from: extents, extents: 1 }] },
    },
  };
  const lvmBoot = (name: string, swap: FakeImage) => {
    const data = Buffer.concat([rootBytes, swap.bytes], (extents + 1) * EXTENT_BYTES);
    return fakeBoot({
      cmdline: `root=/dev/vg0/root rw resume=${name}`,
      images: [{ ...root, bytes: rootBytes }],
      files: {
        ...INITRAMFS,
        "/lib/modules/6.1.0-fake/modules.dep": "kernel/dm-mod.ko:\n",
        "/lib/modules/6.1.0-fake/kernel/dm-mod.ko": "module",
      },
      modules: { dm_mod: CRYPT_MODULES.dm_mod },
      disks: [{ name: "vda", content: fakePhysicalVolume({ id, text: groupText(group), data }) }],
    });
  };

  test.each(["/dev/vg0/swap", "/dev/mapper/vg0-swap", `UUID=${UUID}`])("it is found by resume=%s", (name) => {
    const result = lvmBoot(name, hibernatedSwap(UUID));
    expect(result.end).toBe("resume");
    expect(result.console).toContain("resuming the hibernated system on /dev/mapper/vg0-swap");
    expect(touched(result)).toEqual([]);
    const other = lvmBoot(name, swapImage(UUID));
    expect(other.console).toContain("no hibernated system on /dev/mapper/vg0-swap");
    expect(other.end).toMatchObject({ mode: "switch_root" });
  });
});

describe("trust", () => {
  test("two devices of the name are not resumed if one holds an image", () => {
    const disks = [
      { name: "vda", partitions: [{ image: rootOf(true) }, { image: swapImage(UUID) }] },
      { name: "vdb", image: hibernatedSwap(UUID) },
    ];
    const result = fakeBoot({ cmdline: CMDLINE, disks });
    expect(result.console).toContain("names /dev/vda2 and /dev/vdb, and\none of them holds a hibernated system");
    expect(result.console.replace(/\s+/g, " ")).toContain("or none with resume=none");
    expect(touched(result)).toEqual([]);
  });

  test("resume=none, as that report advises, boots and leaves the image alone", () => {
    const disks = [
      { name: "vda", partitions: [{ image: rootOf(true) }, { image: swapImage(UUID) }] },
      { name: "vdb", image: hibernatedSwap(UUID) },
    ];
    const result = fakeBoot({ cmdline: "root=LABEL=ROOT rw resume=none", disks });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    const content = Buffer.from(result.machine.disk("vdb")?.content.subarray(4086, 4095) ?? []);
    expect(content.toString("latin1")).toBe("S1SUSPEND");
  });

  test("two paths to one disk are one device", () => {
    const wwid = (place: number, name: string) => ({
      [`/devices/pci0000:00/0000:00:0${place}.0/block/${name}/device/wwid`]: "naa.5000c500a0b1c2d3\n",
    });
    const result = fakeBoot({
      cmdline: CMDLINE,
      disks: ["sda", "sdb"].map((name) => ({ name, image: hibernatedSwap(UUID) })),
      sys: { ...wwid(1, "sda"), ...wwid(2, "sdb") },
    });
    expect(result.end).toBe("resume");
  });

  test.each([
    `roothash=${"ab".repeat(32)}`,
    `rd.image=/root.sfs roothash=${"ab".repeat(32)}`,
    `rd.image=/root.sfs rd.verity.image=root.sfs:${"ab".repeat(32)}`,
  ])("a verified root is not replaced by an image outside encrypted volumes: %s", (words) => {
    const cmdline = `${CMDLINE} ${words} rd.resume.timeout=1 rd.timeout=1`;
    const result = boot(hibernatedSwap(UUID), { cmdline });
    expect(result.console).toContain("not resuming from /dev/vda2: the root is verified");
    expect(result.end).not.toBe("resume");
  });
});
