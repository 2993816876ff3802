import { describe, expect, test } from "bun:test";
import { ELF, type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";

// Which drivers are loaded for the system that takes over.

const MODULES = "/lib/modules/6.1.0-fake";
const AHCI = `${MODULES}/kernel/drivers/ata/ahci.ko`;
const AHCI_DEVICE = { "/bus/pci/devices/0000:00:02.0/modalias": "pci:v00008086d00002922bc01sc06i01\n" };

const { "/usr/lib/systemd/systemd-udevd": _, ...WITHOUT_UDEV } = ROOT_TREE;

const FILES: FakeTree = {
  [`${MODULES}/modules.dep`]: `${INITRAMFS[`${MODULES}/modules.dep`]}kernel/drivers/ata/ahci.ko:\n`,
  [`${MODULES}/modules.alias`]: "alias pci:v*d*bc01sc06i* ahci\n",
  [AHCI]: "module",
};

/** Boots a machine with a controller that its root does not need; returns how its driver was loaded, null if it was not. */
function boot(options: FakeBootOptions) {
  const { end, journal, console } = fakeBoot({
    modules: { ahci: {} },
    sys: AHCI_DEVICE,
    ...options,
    files: { ...FILES, ...options.files },
  });
  return { end, journal, console, loaded: journal.find((line) => line.startsWith(`load ${AHCI}`)) ?? null };
}

function loadsOf(words: string, tree: FakeTree): string | null {
  const image = fakeImage("ext4", { label: "ROOT" }, tree);
  const { end, loaded } = boot({ cmdline: `root=LABEL=ROOT ${words}`, disks: [{ name: "vda", image }] });
  expect(end).toMatchObject({ mode: "switch_root" });
  return loaded;
}

const WAITS = `load ${AHCI}`;
const LEFT_OUT: string | null = null;
const fstab = (text: string): FakeTree => ({ ...WITHOUT_UDEV, "/etc/fstab": text });

describe("a root with a udev", () => {
  test.each([
    ["", null],
    ["rd.drivers=root", null],
    ["rd.drivers=all", WAITS],
  ] as const)("with the parameters %p", (words, expected) => {
    expect(loadsOf(words, ROOT_TREE)).toBe(expected);
  });
});

describe("a root without a udev", () => {
  test.each([
    ["", LEFT_OUT],
    ["rd.drivers=root", null],
    ["rd.drivers=all", WAITS],
  ] as const)("with the parameters %p", (words, expected) => {
    expect(loadsOf(words, WITHOUT_UDEV)).toBe(expected);
  });

  test.each([
    ["/dev/sda1 /srv ext4 defaults 0 2", WAITS],
    ["# data\n\nLABEL=DATA  /srv\text4", WAITS],
    ["UUID=1234-5678 none swap sw 0 0", WAITS],
    ["/dev/sda1 /srv ext4 noauto,ro", LEFT_OUT],
    ["LABEL=ROOT / ext4 defaults 0 1\nproc /proc proc\ntmpfs /tmp tmpfs", LEFT_OUT],
    ["#/dev/sda1 /srv ext4", LEFT_OUT],
    ["\0\xff", LEFT_OUT],
  ])("whose fstab is %p", (text, expected) => {
    expect(loadsOf("", fstab(text))).toBe(expected);
  });

  test("whose fstab is a link out of it, a directory, or too long to be read", () => {
    expect(loadsOf("", { ...WITHOUT_UDEV, "/etc/fstab": { link: "/proc/kcore" } })).toBe(LEFT_OUT);
    expect(loadsOf("", { ...WITHOUT_UDEV, "/etc/fstab/x": "" })).toBe(LEFT_OUT);
    expect(loadsOf("", fstab("#".repeat(65 << 10)))).toBe(WAITS);
  });

  test("whose init is named, as for a repair: its udev may not start, and anything may be mounted by hand", () => {
    expect(loadsOf("init=/sbin/init", ROOT_TREE)).toBe(WAITS);
  });
});

describe("what is loaded without the controllers of disks", () => {
  const USBHID = `${MODULES}/kernel/drivers/hid/usbhid.ko`;
  const rest = {
    cmdline: "root=LABEL=ROOT",
    modules: { ahci: {}, usbhid: {} },
    sys: { ...AHCI_DEVICE, "/bus/usb": { directory: true } },
    files: {
      [`${MODULES}/modules.dep`]: `${FILES[`${MODULES}/modules.dep`]}kernel/drivers/hid/usbhid.ko:\n`,
      [USBHID]: "module",
    },
  } as const;
  const bootRoot = (tree: FakeTree, more: FakeBootOptions = {}) =>
    boot({ ...rest, disks: [{ name: "vda", image: fakeImage("ext4", { label: "ROOT" }, tree) }], ...more });

  test("does not hold up the handover, and rd.debug says what it leaves out", () => {
    expect(bootRoot(WITHOUT_UDEV).console).not.toContain("not loaded");
    const { journal, console } = bootRoot(WITHOUT_UDEV, { cmdline: "root=LABEL=ROOT rd.debug" });
    expect(journal).toContain(`load ${USBHID} async_probe`);
    const why = "not loaded, because /etc/fstab names no other disk: ahci (rd.drivers=all loads all drivers)";
    expect(console).toContain(`  debug     ${why}\n`);
  });

  test("is nothing to speak of if the machine has no other controller", () => {
    const { journal, console } = bootRoot(WITHOUT_UDEV, { sys: { "/bus/usb": { directory: true } } });
    expect(journal).toContain(`load ${USBHID} async_probe`);
    expect(console).not.toContain("not loaded");
  });

  test("waits for its devices if all drivers are loaded", () => {
    expect(bootRoot(fstab("/dev/sda1 /srv ext4")).journal).toContain(`load ${USBHID}`);
  });
});

describe("an initramfs that is the final system", () => {
  test.each([
    ["", WAITS],
    ["rd.drivers=all", WAITS],
    ["rd.drivers=root", null],
  ] as const)("with the parameters %p", (cmdline, expected) => {
    const { end, loaded } = boot({ cmdline, files: { "/sbin/init": { data: ELF, mode: 0o755 } } });
    expect(end).toMatchObject({ mode: "stay" });
    expect(loaded).toBe(expected);
  });
});
