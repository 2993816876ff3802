import { describe, expect, test } from "bun:test";
import { type Finding, statusOf } from "../../../../src/desk/doctor/finding.ts";
import type { FINDINGS } from "../../../../src/desk/doctor/findings.ts";
import { describeRows, formatRows } from "../../../../src/desk/doctor/format.ts";
import { trialRow } from "../../../../src/desk/doctor/trial.ts";
import { parseHints } from "../../../../src/desk/hints/schema.ts";
import type { FakeDisk } from "../../../support/fake-disk.ts";
import { fakeImage } from "../../../support/fake-images.ts";
import { BASE } from "../../../support/luks/base-images.ts";
import { provideLuksImage, readImage } from "../../../support/luks/cryptsetup-image.ts";
import { editJson } from "../../../support/luks/luks2-edit.ts";
import { bzImage, examineScene, GRUB, moduleFor, RELEASE, ROOT_UUID, rootFilesystem, type Scene } from "./scene.ts";

const MODULES = `lib/modules/${RELEASE}`;
const ROOT = `root=UUID=${ROOT_UUID}`;
const luks = readImage(await provideLuksImage(BASE.luks2));
const luksUuid = new TextDecoder().decode(luks.subarray(168, 204));

/** An ext4 whose superblock has one more feature. */
function featured(at: number, bit: number): FakeDisk {
  const image = rootFilesystem();
  const view = new DataView(image.bytes.buffer);
  view.setUint32(1024 + at, view.getUint32(1024 + at, true) | (1 << bit), true);
  return { name: "vda", image };
}

/** The root in a LUKS volume on vda, as the running system has opened it. */
function encrypted(header: Uint8Array = luks): Pick<Scene, "disks" | "sys"> {
  const mapping = "/devices/pci0000:00/0000:00:02.0/block/dm-0";
  return {
    disks: [
      { name: "vda", content: header },
      { name: "dm-0", image: rootFilesystem() },
    ],
    sys: {
      [`${mapping}/dm/name`]: "root\n",
      [`${mapping}/dm/uuid`]: `CRYPT-LUKS2-${luksUuid.replaceAll("-", "")}-root\n`,
      [`${mapping}/slaves/vda`]: { link: "../../../../0000:00:01.0/block/vda" },
    },
  };
}

const unlocked = `${ROOT} rd.luks.uuid=${luksUuid}`;
/** Its keyslots ask for 1 GiB. */
const hungry = editJson(luks, (json) => {
  for (const slot of Object.values(json.keyslots as Readonly<Record<string, { kdf: object }>>)) {
    Object.assign(slot.kdf, { type: "argon2id", time: 4, memory: 1 << 20, cpus: 4, iterations: undefined });
    Object.assign(slot.kdf, { hash: undefined });
  }
});

/** By the code of the finding: one change to a machine that boots, and what the finding has to name. */
const SCENES: Readonly<Record<Exclude<keyof typeof FINDINGS, "trial-failed">, readonly [scene: Scene, named: string]>> =
  {
    "image-damaged": [{ tail: "0707010000" }, "a kernel would not read all of it"],
    "image-without-init": [{ image: { init: null } }, "/init"],
    "image-foreign": [
      { image: { init: "#!/bin/sh\n", "etc/levain.json": null, "conf/initramfs.conf": "", "scripts/functions": "" } },
      "initramfs-tools",
    ],
    "image-unsigned": [
      {
        isUnified: true,
        sys: { "/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "\x06\0\0\0\x01" },
      },
      "Secure Boot",
    ],
    "plan-refused": [{ cmdline: `${ROOT} rd.timeout=soon` }, "rd.timeout"],
    "plan-warning": [{ cmdline: `${ROOT} rd.timeot=5` }, "rd.timeout"],
    "root-not-named": [{ cmdline: "ro" }, "root= is missing"],
    "root-absent": [{ cmdline: "root=LABEL=NONE" }, "LABEL=NONE"],
    "root-several": [
      {
        disks: [
          { name: "vda", image: rootFilesystem() },
          { name: "vdb", image: rootFilesystem() },
        ],
      },
      "/dev/vda and /dev/vdb",
    ],
    "root-unreadable": [{ disks: [{ name: "vda", image: rootFilesystem(), failsWith: "EIO" }] }, "not all devices"],
    "root-not-checked": [{ cmdline: "root=nfs:10.0.0.1:/srv/root" }, "10.0.0.1"],
    "kernel-unknown": [
      {
        grub: "",
        image: Object.fromEntries(
          ["modules.dep", "modules.alias", "modules.builtin"].map((name) => [`${MODULES}/${name}`, null]),
        ),
        without: ["nvme", "nvme-core", "ext4", "usbhid", "dm-crypt", "dm-mod", "xts", "ecb", "aes_generic"],
      },
      "unknown",
    ],
    "kernel-absent": [
      { grub: "", cmdline: ROOT, files: { [`/boot/vmlinuz-${RELEASE}`]: { directory: true } } },
      RELEASE,
    ],
    "kernel-other": [{ files: { [`/boot/vmlinuz-${RELEASE}`]: bzImage("6.2.0-other") } }, "6.2.0-other"],
    "driver-missing": [{ without: ["nvme"] }, "module nvme"],
    "driver-other": [
      {
        without: ["nvme"],
        image: {
          [`${MODULES}/modules.dep`]:
            "kernel/fs/ext4/ext4.ko:\nkernel/rust_nvme.ko:\nkernel/drivers/hid/usbhid/usbhid.ko:\n",
          [`${MODULES}/kernel/rust_nvme.ko`]: moduleFor(RELEASE),
          [`${MODULES}/modules.alias`]:
            "alias pci:v*d*sv*sd*bc01sc08i02 rust_nvme\nalias fs-ext4 ext4\nalias usb:* usbhid\n",
        },
      },
      "rust_nvme",
    ],
    "driver-incomplete": [{ without: ["nvme-core"] }, "nvme_core"],
    "driver-blacklisted": [{ cmdline: `${ROOT} module_blacklist=nvme` }, "nvme"],
    "module-for-other-kernel": [
      { image: { [`${MODULES}/kernel/drivers/nvme/host/nvme.ko`]: moduleFor("5.10.0-old") } },
      "5.10.0-old",
    ],
    "firmware-missing": [
      {
        image: { [`${MODULES}/kernel/drivers/nvme/host/nvme.ko`]: moduleFor(RELEASE, "firmware=nvme.bin") },
        files: { "/lib/firmware/nvme.bin": "firmware" },
      },
      "nvme.bin",
    ],
    "layer-missing": [{ ...encrypted(), without: ["dm-crypt"], cmdline: unlocked }, "dm_crypt"],
    "keyboards-missing": [{ ...encrypted(), without: ["usbhid"], cmdline: unlocked }, "usb 1-1:1.0"],
    "keyboard-missing": [{ without: ["usbhid"] }, "usb 1-1:1.0"],
    "filesystem-missing": [{ without: ["ext4"] }, "ext4"],
    "filesystem-unknown": [
      { disks: [{ name: "vda", content: new Uint8Array(1 << 20) }], cmdline: "root=/dev/vda" },
      "/dev/vda",
    ],
    "feature-too-new": [
      { disks: [featured(0x64, 16)], files: { [`/boot/vmlinuz-${RELEASE}`]: bzImage("5.10.0-old") } },
      "orphan_present",
    ],
    "feature-unusable": [{ disks: [featured(0x60, 12)] }, "dirdata"],
    "feature-unknown": [{ disks: [featured(0x60, 25)] }, "bit 25"],
    "crypt-not-asked": [encrypted(), "/dev/vda"],
    "crypt-locked": [{ ...encrypted(hungry), cmdline: unlocked, memoryBytes: 512 << 20 }, "needs 1 GiB to unlock"],
    "cipher-missing": [{ ...encrypted(), without: ["xts"], cmdline: unlocked }, "xts"],
    "keymap-missing": [{ ...encrypted(), cmdline: `${unlocked} rd.vconsole.keymap=de` }, "keymap de"],
    "init-missing": [{ cmdline: `${ROOT} init=/sbin/other` }, "/sbin/other"],
    "init-not-checked": [
      {
        disks: [
          { name: "vda", image: fakeImage("ext4") },
          { name: "vdb", image: rootFilesystem() },
        ],
      },
      "init",
    ],
    "entry-none": [{ grub: "" }, "boot loader"],
    "entry-unreadable": [{ grub: null, cmdline: ROOT }, "may not read"],
    "entry-elsewhere": [
      { grub: GRUB.replace("initrd /boot/initrd", "initrd /boot/other") },
      `/boot/other.img-${RELEASE}`,
    ],
    "entry-not-default": [
      { grub: `${GRUB.replace('default="0"', 'default="Other"')}menuentry "Other" {\nlinux /boot/other\n}\n` },
      '"Other"',
    ],
    "entry-kernel-missing": [{ grub: GRUB.replace("linux /boot/vmlinuz", "linux /boot/vmlinux") }, "/boot/vmlinux-"],
    "boot-full": [{ memoryBytes: 1 << 20 }, "/boot has"],
    "memory-short": [{ memoryBytes: 64 << 20 }, "64 MiB"],
  };

async function findings(scene: Scene): Promise<readonly Finding[]> {
  return (await examineScene(scene)).flatMap((row) => row.findings);
}

describe("levain doctor", () => {
  test("a machine that its image boots has no findings", async () => {
    expect(await findings({})).toEqual([]);
    expect(await findings({ ...encrypted(), cmdline: unlocked })).toEqual([
      expect.objectContaining({ code: "init-not-checked" }),
    ]);
  });

  test.each(Object.entries(SCENES))("%s", async (code, [scene, named]) => {
    const found = await findings(scene);
    const one = found.find((each) => each.code === code);
    expect(found.map((each): string => each.code)).toContain(code);
    expect(one?.text).toContain(named);
    expect(one?.cure).not.toBe("");
  });

  test("a btrfs needs the drivers of all its devices", async () => {
    const member = () => fakeImage("btrfs", { uuid: ROOT_UUID });
    const found = await findings({
      disks: [
        { name: "vda", image: member() },
        { name: "vdb", image: member() },
      ],
      sys: {
        "/devices/pci0000:00/0000:00:02.0/driver": { link: "../../../bus/pci/drivers/other" },
        "/bus/pci/drivers/other/module": { link: "../../../../module/other" },
        "/module/other/refcnt": "1\n",
      },
    });
    expect(found.map(({ text }) => text)).toContain("the image has no driver for pci 0000:00:02.0: module other");
    expect(found.map(({ code }) => code)).not.toContain("root-several");
  });

  test("the hints of another machine take the place of this one", async () => {
    const step = (device: string, module: string) => ({ device, driver: module, module, modalias: null });
    const hints = parseHints(
      JSON.stringify({
        ...{ version: 1, kernel: RELEASE, machine: "x86_64", cmdline: ROOT },
        cpu: { vendor: "GenuineIntel", family: 6, model: 1, stepping: 1 },
        filesystems: [{ path: "/", type: "xfs", options: "", devices: ["md0"], isChecked: false }],
        volumes: [{ device: "md0", name: null, kind: "md", on: ["sda"], detail: "raid1" }],
        disks: [{ name: "sda", drivers: [step("pci 0000:00:1f.2", "ahci")], server: null }],
        keyboards: [{ name: "input3", drivers: [step("usb 1-1:1.0", "usbhid")] }],
        ...{ usb: [], screens: [], cards: [], links: [], modules: [], keymap: null, crypttab: [], parameters: [] },
      }),
      "hints.json",
    );
    const rows = await examineScene({ hints });
    expect(rows.flatMap((row) => row.findings.map(({ text }) => text))).toEqual([
      "the image has no driver for pci 0000:00:1f.2: module ahci",
      "the root lies in md0 (RAID), and the image has no module md_mod",
      "the root lies in md0 (RAID), and the image has no module raid1",
      "the image has no driver for xfs, the filesystem of /",
    ]);
  });

  test("a trial that does not reach the real init is fatal, whatever else was found", () => {
    const trial = { bus: "virtio", lines: [], isHandedOver: false, isAsking: false, panic: "VFS" } as const;
    const levels = [trial, { ...trial, isHandedOver: true }, { ...trial, isAsking: true }].map((each) =>
      statusOf(trialRow(each).findings),
    );
    expect(levels).toEqual([1, 0, 0]);
    expect(trialRow(trial).findings[0]?.text).toBe("in QEMU, the kernel panicked: VFS");
  });

  test("the exit status is 1 for what keeps the machine from booting, 2 for doubts, 0 for notes", async () => {
    const status = async (scene: Scene) => statusOf(await findings(scene));
    expect(await status({ without: ["nvme"] })).toBe(1);
    expect(await status({ grub: "", cmdline: ROOT })).toBe(2);
    expect(await status({ without: ["usbhid"] })).toBe(0);
  });

  test("each finding is a line with its cure, and the verdict is the last", async () => {
    const rows = await examineScene({ without: ["nvme"] });
    const lines = formatRows(rows, 100);
    const at = lines.findIndex((line) => line.startsWith("FAIL   drivers"));
    expect(lines.slice(at, at + 2)).toEqual([
      "FAIL   drivers     the image has no driver for pci 0000:00:01.0: module nvme",
      "                   cure: levain image --module nvme",
    ]);
    expect(lines.at(-1)).toBe("the image will not boot this machine");
    expect(describeRows(rows)).toMatchObject({
      verdict: "will not boot",
      findings: [{ subject: "drivers", code: "driver-missing", level: "fatal" }],
    });
  });
});
