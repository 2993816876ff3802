import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keepForHost, readHostUse, withPlanned } from "../../../../src/desk/modules/host-modules.ts";
import { parseModprobeConfig } from "../../../../src/drivers/index/modprobe-config.ts";
import { buildModuleIndex } from "../../../../src/drivers/index/module-index.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";
import { scratchDirectory } from "../../../support/cache.ts";

const PATHS = [
  ...["ata/ahci", "nvme/host/nvme", "scsi/megaraid/megaraid_sas", "block/loop", "md/dm-crypt", "hid/usbhid/usbhid"].map(
    (path) => `drivers/${path}`,
  ),
  ...["crypto/xts", "arch/x86/crypto/aesni-intel", "fs/btrfs/btrfs", "fs/xfs/xfs", "fs/overlayfs/overlay"],
  ...["fs/nfs/nfs", "fs/nfs/nfsv3", "fs/nfs/nfsv4"],
];
const NAMES = PATHS.map((path) => (path.split("/").at(-1) ?? "").replaceAll("-", "_"));

const index = buildModuleIndex("6.1", {
  dep: PATHS.map((path) => `kernel/${path}.ko:\n`).join(""),
  alias:
    "alias pci:v*d*sv*sd*bc01sc06i01* ahci\nalias pci:v*d*sv*sd*bc01sc08i02* nvme\nalias fs-btrfs btrfs\nalias fs-xfs xfs\n",
  ...{ softdep: "", order: "", builtin: "", builtinModinfo: "" },
});
const source = { index, config: parseModprobeConfig([]) };

/** A machine with these files below its root. */
function machineWith(files: Readonly<Record<string, string>>): string {
  const root = scratchDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const USUAL = {
  "sys/bus/pci/devices/0000:00:1f.2/modalias": "pci:v00008086d00002922sv0000sd0000bc01sc06i01\n",
  "sys/bus/pci/devices/0000:00:1f.3/vendor": "0x8086\n",
  "proc/modules": "overlay 1 0 - Live 0x0\nmegaraid_sas 1 0 - Live 0x0\n",
  "proc/self/mountinfo": "22 1 8:1 / / rw shared:1 - btrfs /dev/sda1 rw\n23 22 0:21 / /proc rw - proc proc rw\n",
  "sys/block/sda/size": "1\n",
};

describe("an image for one machine", () => {
  test("has the drivers of its devices, what it has loaded and mounted, and what any boot may need", () => {
    const kept = keepForHost(source, NAMES, readHostUse(machineWith(USUAL)));
    expect([...kept].sort()).toEqual(["ahci", "btrfs", "loop", "megaraid_sas", "overlay", "usbhid"]);
  });

  test("has all drivers of volumes and ciphers if it has a volume", () => {
    const kept = keepForHost(source, NAMES, readHostUse(machineWith({ ...USUAL, "sys/block/dm-0/size": "1\n" })));
    expect(kept).toEqual(expect.arrayContaining(["dm_crypt", "xts", "aesni_intel", "ahci"]));
    expect(kept.filter((name) => ["nvme", "xfs"].includes(name))).toEqual([]);
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
  ])("has them too if its parameters need one: %s", (cmdline, needs) => {
    const use = withPlanned(readHostUse(machineWith(USUAL)), makePlan({ cmdline, manifest: null }).plan);
    expect(keepForHost(source, NAMES, use).includes("dm_crypt")).toBe(needs);
  });

  test.each([
    ["root=LABEL=ROOT", []],
    ["root=dhcp", ["nfs", "nfsv3", "nfsv4"]],
    ["root=nfs:192.0.2.1:/srv", ["nfs", "nfsv3", "nfsv4"]],
  ])("has NFS if its parameters need it: %s", (cmdline, expected) => {
    const use = withPlanned(readHostUse(machineWith(USUAL)), makePlan({ cmdline, manifest: null }).plan);
    expect(keepForHost(source, NAMES, use).filter((name) => name.startsWith("nfs"))).toEqual([...expected]);
  });

  test.each([
    ["1 2 8:1 / / rw shared:1 - btrfs /dev/sda1 rw\n", false],
    ["1 2 0:30 / / rw - nfs4 192.0.2.1:/srv rw\n", true],
    ["1 2 43:1 / / rw - ext4 /dev/nbd0p1 rw\n", true],
    ["1 2 8:1 / / rw - ext4 /dev/sda rw\n3 1 0:30 / /home rw - nfs4 192.0.2.1:/home rw\n", false],
  ])("has network cards if the root is on a server: %j", (mountinfo, isRootOnNetwork) => {
    const host = readHostUse(machineWith({ ...USUAL, "proc/self/mountinfo": mountinfo }));
    expect(host.isRootOnNetwork).toBe(isRootOnNetwork);
  });

  test("is not built where the devices are not visible", () => {
    expect(() => readHostUse(scratchDirectory())).toThrow("cannot find the devices of this machine");
  });
});
