import { readFileSync } from "node:fs";
import { findBootEntries } from "../../../../src/desk/boot-entries/find-entries.ts";
import { examine, type Row } from "../../../../src/desk/doctor/examine.ts";
import { admit } from "../../../../src/desk/doctor/patient.ts";
import type { Hints } from "../../../../src/desk/hints/schema.ts";
import { readBootImage } from "../../../../src/desk/kernels/boot-image.ts";
import { appendSections } from "../../../../src/desk/uki/append-sections.ts";
import { SyscallError } from "../../../../src/problems/errors.ts";
import { DIRECTORY, FILE, rawCpio } from "../../../support/crafted-cpio.ts";
import { STUB } from "../../../support/efi-kernel.ts";
import { ELF } from "../../../support/fake-boot.ts";
import type { FakeDisk } from "../../../support/fake-disk.ts";
import type { FakeTree } from "../../../support/fake-files.ts";
import { type FakeImage, fakeImage } from "../../../support/fake-images.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { packedChild } from "../../../support/packed-program.ts";
import { moduleElf } from "../module-elf.ts";

export const RELEASE = "6.1.0-fake";
export const ROOT_UUID = "0a1b2c3d-0001-4000-8000-000000000001";
const MODULES = `lib/modules/${RELEASE}`;
const NVME = "pci:v00008086d0000F1A8sv*sd*bc01sc08i02";
const DISK = "/devices/pci0000:00/0000:00:01.0";

/** What a machine and its image are made of; each test changes one thing of them. */
export interface Scene {
  /** Files of the image, without the slash at the beginning; null leaves one out. */
  readonly image?: Readonly<Record<string, string | Uint8Array | null>>;
  /** The lines of modules.dep that are left out: by the name of the module. */
  readonly without?: readonly string[];
  readonly files?: FakeTree;
  readonly sys?: FakeTree;
  readonly disks?: readonly FakeDisk[];
  readonly cmdline?: string;
  /** null: it cannot be read. */
  readonly grub?: string | null;
  readonly memoryBytes?: number;
  /** Of the file that is checked; by default that of the boot entry. */
  readonly file?: string;
  /** What levain host found, on another machine. */
  readonly hints?: Hints;
  /** The image is in a unified kernel image. */
  readonly isUnified?: boolean;
  /** What follows the image in its file. */
  readonly tail?: string;
}

const DEPENDENCIES: Readonly<Record<string, string>> = {
  "kernel/drivers/nvme/host/nvme.ko": " kernel/drivers/nvme/host/nvme-core.ko",
  "kernel/drivers/nvme/host/nvme-core.ko": "",
  "kernel/fs/ext4/ext4.ko": "",
  "kernel/drivers/hid/usbhid/usbhid.ko": "",
  "kernel/drivers/md/dm-crypt.ko": " kernel/drivers/md/dm-mod.ko",
  "kernel/drivers/md/dm-mod.ko": "",
  "kernel/crypto/xts.ko": "",
  "kernel/crypto/ecb.ko": "",
  "kernel/crypto/aes_generic.ko": "",
};
const ALIASES = `alias ${NVME} nvme
alias fs-ext4 ext4
alias usb:v*p*d*dc*dsc*dp*ic03isc*ip*in* usbhid
alias crypto-xts xts
alias crypto-ecb ecb
alias crypto-aes aes_generic
`;

/** A module file for this kernel, or for another one. */
export const moduleFor = (release: string, ...more: readonly string[]) =>
  moduleElf(`vermagic=${release} SMP preempt mod_unload`, ...more);

async function makeFile(scene: Scene): Promise<Uint8Array> {
  const data = await makeImage(scene);
  if (scene.isUnified !== true) return data;
  const parts = [
    { name: ".linux", data: bzImage(RELEASE) },
    { name: ".initrd", data },
  ];
  return Buffer.concat(appendSections(readFileSync(STUB), parts, STUB));
}

async function makeImage({ image = {}, without = [] }: Scene): Promise<Uint8Array> {
  const isKept = (path: string) => !without.some((name) => path.endsWith(`/${name}.ko`));
  const paths = Object.keys(DEPENDENCIES).filter(isKept);
  const files: Readonly<Record<string, string | Uint8Array | null>> = {
    "etc/levain.json": JSON.stringify({ version: 1, kernel: RELEASE, parameters: [] }),
    [`${MODULES}/modules.dep`]: paths.map((path) => `${path}:${DEPENDENCIES[path]}\n`).join(""),
    [`${MODULES}/modules.alias`]: ALIASES,
    [`${MODULES}/modules.builtin`]: "kernel/drivers/pci/pcieport.ko\n",
    ...Object.fromEntries(paths.map((path) => [`${MODULES}/${path}`, moduleFor(RELEASE)])),
    ...image,
  };
  const kept = Object.entries(files).flatMap(([name, data]) => (data === null ? [] : [{ name, data, mode: FILE }]));
  const above = kept.flatMap(({ name }) =>
    name
      .split("/")
      .slice(0, -1)
      .map((_, at, parts) => parts.slice(0, at + 1).join("/")),
  );
  const directories = [...new Set(above)].sort().map((name) => ({ name, mode: DIRECTORY }));
  const changed = kept.map((member) => (member.name === "init" ? { ...member, mode: PROGRAM } : member));
  return Buffer.concat([
    image["init"] === null ? Buffer.alloc(0) : await levainArchive(),
    rawCpio([...directories, ...changed]),
  ]);
}

const PROGRAM = 0o100755;
let levain: Buffer | null = null;

/** An archive with levain as /init: packing 2 MB takes longer than all else of a scene. */
async function levainArchive(): Promise<Buffer> {
  levain ??= rawCpio([{ name: "init", data: readFileSync(await packedChild()), mode: PROGRAM }]);
  return levain;
}

/** The head of a bzImage with this release. */
export function bzImage(release: string): Uint8Array {
  const bytes = new Uint8Array(0x1000);
  bytes.set(Buffer.from("HdrS"), 0x202);
  new DataView(bytes.buffer).setUint16(0x20e, 0x400, true);
  bytes.set(Buffer.from(`${release} (builder@host) #1 SMP\0`), 0x600);
  return bytes;
}

export const GRUB = `set default="0"
menuentry 'Fake GNU/Linux' --class fake $menuentry_id_option 'fake-simple' {
  search --no-floppy --fs-uuid --set=root ${ROOT_UUID}
  linux /boot/vmlinuz-${RELEASE} root=UUID=${ROOT_UUID} ro quiet
  initrd /boot/initrd.img-${RELEASE}
}
`;

/** An ext4 as root of the running system. */
export const rootFilesystem = (): FakeImage => fakeImage("ext4", { label: "ROOT", uuid: ROOT_UUID });

const driver = (bus: string, name: string, module: string | null): FakeTree => ({
  [`/bus/${bus}/drivers/${name}/bind`]: "",
  ...(module === null
    ? {}
    : {
        [`/bus/${bus}/drivers/${name}/module`]: { link: `../../../../module/${module}` },
        [`/module/${module}/refcnt`]: "1\n",
      }),
});

/** A machine with an NVMe disk and a USB keyboard. */
const SYS: FakeTree = {
  ...driver("pci", "nvme", "nvme"),
  ...driver("usb", "usbhid", "usbhid"),
  [`${DISK}/driver`]: { link: "../../../bus/pci/drivers/nvme" },
  [`${DISK}/modalias`]: "pci:v00008086d0000F1A8sv00008086sd0000390Dbc01sc08i02\n",
  "/devices/pci0000:00/0000:00:14.0/usb1/1-1:1.0/driver": { link: "../../../../../bus/usb/drivers/usbhid" },
  "/devices/pci0000:00/0000:00:14.0/usb1/1-1:1.0/modalias": "usb:v046Dp0001d0100dc00dsc00dp00ic03isc01ip01in00\n",
  "/devices/pci0000:00/0000:00:14.0/usb1/1-1:1.0/input/input3/capabilities/ev": "120013\n",
  "/class/input/input3": { link: "../../devices/pci0000:00/0000:00:14.0/usb1/1-1:1.0/input/input3" },
};

/** Examines a machine that boots, with the changes of a test. */
export async function examineScene(scene: Scene): Promise<readonly Row[]> {
  const path = `/boot/initrd.img-${RELEASE}`;
  const { disks = [{ name: "vda", image: rootFilesystem() }], cmdline = null, memoryBytes } = scene;
  const machine = fakeMachine({
    isBoot: false,
    mounted: { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs" },
    disks,
    sys: { ...SYS, ...scene.sys },
    release: { release: RELEASE, machine: "x86_64" },
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    files: {
      "/sbin/init": { data: ELF, mode: 0o755 },
      "/boot/grub/grub.cfg": scene.grub ?? GRUB,
      [`/boot/vmlinuz-${RELEASE}`]: bzImage(RELEASE),
      [path]: Buffer.concat([await makeFile(scene), Buffer.from(scene.tail ?? "")]),
      ...scene.files,
    },
  });
  // The root of the fake machine is an initramfs: that of a running system is on its disk.
  const running: typeof machine = {
    ...machine,
    readFile(file) {
      if (scene.grub === null && file === "/boot/grub/grub.cfg") throw new SyscallError("open", "EACCES", file);
      const bytes = machine.readFile(file);
      if (file !== "/proc/self/mountinfo") return bytes;
      return Buffer.from(`${Buffer.from(bytes)}99 1 8:0 / / rw - ext4 /dev/vda rw\n`);
    },
  };
  const image = readBootImage(running, [scene.file ?? path]);
  return examine(
    admit(running, image, findBootEntries(running), { cmdline, kernel: null, hints: scene.hints ?? null }),
  );
}
