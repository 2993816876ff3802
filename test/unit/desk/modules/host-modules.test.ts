import { describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { findHints } from "../../../../src/desk/hints/find-hints.ts";
import type { Hints } from "../../../../src/desk/hints/schema.ts";
import { findHostModules } from "../../../../src/desk/modules/host-modules.ts";
import { forHost, keptBeside, needsNetwork } from "../../../../src/desk/modules/host-selection.ts";
import { parseModprobeConfig } from "../../../../src/drivers/index/modprobe-config.ts";
import { buildModuleIndex } from "../../../../src/drivers/index/module-index.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";
import { fakeHost, type HostFiles, mounted } from "../../../support/fake-host.ts";
import { DISKLESS, MIRROR, NOTEBOOK, STICK_SYSTEM, VIRTUAL } from "../../../support/fake-hosts.ts";
import { refusalOf } from "../../../support/refusal.ts";

const PATHS = [
  ...["ata/ahci", "nvme/host/nvme", "scsi/megaraid/megaraid_sas", "scsi/sd_mod", "block/loop", "block/virtio_blk"],
  ...["virtio/virtio_pci", "md/dm-mod", "md/dm-crypt", "md/dm-thin-pool", "md/md-mod", "md/raid1", "md/raid10"],
  ...["usb/core/usbcore", "usb/host/xhci-pci", "usb/host/ehci-pci", "usb/storage/usb-storage", "hid/usbhid/usbhid"],
  ...["hid/hid-generic", "hid/hid-apple", "gpu/drm/i915/i915", "gpu/drm/tiny/bochs"],
  ...["net/ethernet/intel/e1000e/e1000e", "net/ethernet/realtek/r8169", "net/bonding/bonding"],
].map((path) => `kernel/drivers/${path}.ko`);
const OTHERS = [
  ...["crypto/xts", "crypto/ecb", "crypto/serpent_generic", "crypto/algif_skcipher", "arch/x86/crypto/aesni-intel"],
  ...["fs/ext4/ext4", "fs/btrfs/btrfs", "fs/xfs/xfs", "fs/overlayfs/overlay", "fs/squashfs/squashfs", "fs/fat/vfat"],
  ...["fs/nls/nls_cp437", "fs/nls/nls_ascii", "fs/nfs/nfs", "fs/nfs/nfsv4", "net/packet/af_packet", "crypto/ccm"],
].map((path) => `kernel/${path}.ko`);
const nameOf = (path: string) => basename(path, ".ko").replaceAll("-", "_");
const NAMES = [...PATHS, ...OTHERS].map(nameOf);

/** A kernel with these modules but for those that are missing or built in. */
function kernel({
  lacks = [],
  builtin = [],
}: {
  readonly lacks?: readonly string[];
  readonly builtin?: readonly string[];
} = {}) {
  const all = [...PATHS, ...OTHERS].filter((path) => ![...lacks, ...builtin].includes(nameOf(path)));
  const built = [...PATHS, ...OTHERS].filter((path) => builtin.includes(nameOf(path)));
  const alias = [
    "alias pci:v*d*sv*sd*bc01sc06i01* ahci\nalias pci:v*d*sv*sd*bc01sc08i02* nvme\nalias md-raid1 raid1\n",
    "alias fs-ext4 ext4\nalias fs-btrfs btrfs\nalias fs-xfs xfs\nalias fs-nfs4 nfsv4\nalias scsi:t-0x00* sd_mod\n",
    "alias crypto-aes aesni_intel\nalias crypto-xts xts\nalias crypto-ecb ecb\nalias crypto-serpent serpent_generic\n",
  ].join("");
  const index = buildModuleIndex("6.1", {
    dep: all.map((path) => `${path}:\n`).join(""),
    ...{ alias, softdep: "", order: "", builtinModinfo: "" },
    builtin: built.map((path) => `${path}\n`).join(""),
  });
  return { index, config: parseModprobeConfig([]) };
}

const hintsOf = (...parts: readonly HostFiles[]) => findHints(fakeHost(...parts), "x86_64");
const planOf = (cmdline: string) => makePlan({ cmdline, manifest: null }).plan;
const modulesOf = (hints: Hints, network = false, source = kernel()) =>
  [...findHostModules(source, hints, network).names].sort();
/** As `hints` would be if root had read the LUKS header. */
const withCipher = (hints: Hints, detail: string): Hints => ({
  ...hints,
  volumes: hints.volumes.map((one) => (one.kind === "luks" ? { ...one, detail } : one)),
});

describe("an image for one machine has exactly the modules", () => {
  test("of its NVMe disk, its volumes and their cipher, its keyboard and its filesystem", () => {
    const aes = withCipher(hintsOf(NOTEBOOK), "aes-xts-plain64");
    expect(modulesOf(aes)).toEqual([
      ...["aesni_intel", "dm_crypt", "dm_mod", "dm_thin_pool", "ecb", "ext4", "hid_apple", "hid_generic"],
      ...["nvme", "usbcore", "usbhid", "xhci_pci", "xts"],
    ]);
    const serpent = modulesOf(withCipher(aes, "serpent-xts-plain64"));
    expect(serpent).toEqual(expect.arrayContaining(["serpent_generic", "algif_skcipher"]));
    expect(serpent).not.toContain("aesni_intel");
  });

  test("of its mirror", () => {
    expect(modulesOf(hintsOf(MIRROR))).toEqual(["ahci", "btrfs", "md_mod", "raid1", "sd_mod"]);
  });

  test("of a live system on a stick", () => {
    expect(modulesOf(hintsOf(STICK_SYSTEM))).toEqual([
      ...["hid_apple", "hid_generic", "loop", "nls_ascii", "nls_cp437", "overlay", "sd_mod", "squashfs"],
      ...["usb_storage", "usbcore", "usbhid", "vfat", "xhci_pci"],
    ]);
  });

  test("of a root on NFS: of two cards that which is up", () => {
    expect(modulesOf(hintsOf(DISKLESS), true)).toEqual(["af_packet", "bonding", "e1000e", "nfsv4"]);
    const down = { "/sys/class/net/eth0/operstate": "down\n" } as const;
    expect(modulesOf(hintsOf(DISKLESS, down), true)).toEqual(expect.arrayContaining(["e1000e", "r8169"]));
  });

  test("that the kernel of the image has, if the kernel that runs has the driver built in", () => {
    const mirror = hintsOf(MIRROR);
    const disks = mirror.disks.map((disk) => ({
      ...disk,
      drivers: disk.drivers.map((step) => ({ ...step, module: null })),
    }));
    expect(modulesOf({ ...mirror, disks })).toEqual(expect.arrayContaining(["ahci", "sd_mod"]));
  });

  test("and the driver of a small screen where a passphrase is typed", () => {
    const screens = [
      { name: "card0", drivers: [{ device: "0000:00:02.0", driver: "bochs-drm", module: "bochs", modalias: null }] },
    ];
    expect(modulesOf({ ...hintsOf(NOTEBOOK), screens })).toContain("bochs");
    expect(modulesOf({ ...hintsOf(VIRTUAL), screens })).not.toContain("bochs");
  });
});

describe("a kernel without a module that the machine uses", () => {
  const judge = (hints: Hints, source: ReturnType<typeof kernel>) =>
    forHost(source, NAMES, { hints, needsNetwork: false, keeps: () => false });

  test("is refused if the root would not appear, with everything that is missing", () => {
    const said = refusalOf(() => judge(hintsOf(MIRROR), kernel({ lacks: ["ahci", "btrfs", "raid1"] }))).join("\n");
    expect(said).toContain("kernel 6.1 could not reach the root of this machine: its modules are incomplete");
    expect(said).toContain("no module for the driver ahci of the disk sda (any 0000:00:1f.2)");
    expect(said).toContain("no module for the filesystem btrfs");
    expect(said).toContain("no module for the volume md127 (raid1)");
    expect(said).toContain("hint: install the rest of its modules");
  });

  test("is accepted if that is built in", () => {
    const source = kernel({ builtin: ["nvme", "ext4", "dm_mod", "dm_crypt"] });
    expect(judge(withCipher(hintsOf(NOTEBOOK), "aes-xts-plain64"), source).warnings).toEqual([]);
  });

  test("causes a warning if it is only a keyboard or a cipher", () => {
    const hints = withCipher(hintsOf(NOTEBOOK), "aes-xts-plain64");
    const { warnings } = judge(hints, kernel({ lacks: ["hid_apple", "xts"] }));
    expect(warnings).toEqual([
      "kernel 6.1 has no module for the cipher aes-xts-plain64 of dm-0 (crypto-xts)",
      "kernel 6.1 has no module for the driver hid_apple of the keyboard input4 (any 0003:05AC:0250.0001)",
    ]);
  });
});

describe("of the default modules it keeps", () => {
  const CIPHER = "kernel/crypto/serpent_generic.ko";
  const keeps = (hints: Hints, cmdline: string, path: string) => keptBeside(hints, [planOf(cmdline)])(path);

  test("every cipher if that of its volume is not known", () => {
    expect(keeps(hintsOf(NOTEBOOK), "root=LABEL=ROOT", CIPHER)).toBe(true);
    expect(keeps(withCipher(hintsOf(NOTEBOOK), "aes-xts-plain64"), "root=LABEL=ROOT", CIPHER)).toBe(false);
  });

  test.each([
    ["root=LABEL=ROOT", false],
    [`root=LABEL=ROOT roothash=${"ab".repeat(32)}`, true],
    [`root=LABEL=ROOT rd.image=/a.sfs rd.verity.image=a.sfs:${"ab".repeat(32)}`, true],
    ["root=/dev/vg0/root", true],
    ["root=/dev/mapper/vg0-root", true],
    ["root=/dev/md0", true],
    ["root=LABEL=ROOT rd.lvm.lv=vg0/root", true],
    ["root=LABEL=ROOT resume=/dev/vg0/swap", true],
    ["root=/dev/sda1 resume=/dev/disk/by-id/ata-X-part2", false],
    ["root=LABEL=ROOT rd.luks.uuid=be9c40de-0000-4000-8000-000000000002", true],
  ])("those of volumes that only its parameters name: %s", (cmdline, expected) => {
    expect(keeps(hintsOf(VIRTUAL), cmdline, "kernel/drivers/md/dm-crypt.ko")).toBe(expected);
  });

  test("not those of volumes that it has already", () => {
    const hints = withCipher(hintsOf(NOTEBOOK), "aes-xts-plain64");
    expect(keeps(hints, "root=/dev/mapper/vg-root rd.luks.uuid=17a30000", CIPHER)).toBe(false);
    expect(keeps(hints, "root=LABEL=A rd.luks.uuid=17a30000 rd.luks.uuid=be9c40de", CIPHER)).toBe(true);
  });

  test.each([
    ["root=LABEL=STICK rd.image=/a.sfs", true],
    ["root=LABEL=ROOT rd.overlay", true],
    ["root=LABEL=ROOT", false],
  ])("those of images and overlays: %s", (cmdline, expected) => {
    expect(keeps(hintsOf(VIRTUAL), cmdline, "kernel/fs/overlayfs/overlay.ko")).toBe(expected);
  });
});

test.each([
  ["root=LABEL=ROOT", VIRTUAL, false],
  ["root=dhcp", VIRTUAL, true],
  ["root=LABEL=ROOT", DISKLESS, true],
  ["root=LABEL=ROOT", mounted("0:30 / / 9p host rw"), false],
])("the network is needed for a root on a server: %s %#", (cmdline, files, expected) => {
  expect(needsNetwork(hintsOf(files), [planOf(cmdline)])).toBe(expected);
});
