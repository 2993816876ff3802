import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findHints } from "../../../../src/desk/hints/find-hints.ts";
import { formatHints } from "../../../../src/desk/hints/format-hints.ts";
import { type DriverStep, parseHints } from "../../../../src/desk/hints/schema.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { block, bound, fakeHost, type HostFiles, mounted, volume } from "../../../support/fake-host.ts";
import { CONTAINER, DISKLESS, MIRROR, NOTEBOOK, STICK_SYSTEM, VIRTUAL } from "../../../support/fake-hosts.ts";
import { fakeImage } from "../../../support/fake-images.ts";
import { refusalOf } from "../../../support/refusal.ts";

const hintsOf = (...parts: readonly HostFiles[]) => findHints(fakeHost(...parts), "x86_64");
const names = (drivers: readonly DriverStep[]) => drivers.map(({ module, driver }) => module ?? `(${driver})`);
const shape = ({ device, kind, on, detail }: ReturnType<typeof hintsOf>["volumes"][number]) =>
  `${device} ${kind}${detail === null ? "" : ` ${detail}`} on ${on.join(" ")}`;

describe("what a boot needs", () => {
  test("of a root on LVM in LUKS on an NVMe disk", () => {
    const hints = hintsOf(NOTEBOOK);
    expect(hints.filesystems).toEqual([{ path: "/", type: "ext4", options: "rw", devices: ["dm-1"], isChecked: true }]);
    expect(hints.volumes.map(shape)).toEqual(["dm-0 luks on nvme0n1p3", "dm-1 lvm on dm-0", "dm-2 lvm on dm-0"]);
    expect(hints.disks.map(({ name, drivers }) => [name, ...names(drivers)])).toEqual([
      ["nvme0n1", "(pcieport)", "nvme"],
    ]);
    expect(hints.keyboards.map(({ drivers }) => names(drivers))).toEqual([
      ["xhci_pci", "usbcore", "usbhid", "hid_apple"],
    ]);
    expect(hints.usb.map(({ name }) => name)).toEqual(["usb1"]);
    expect(hints.screens.map(({ drivers }) => names(drivers))).toEqual([["i915"]]);
    expect(hints).toMatchObject({
      kernel: "6.1.0-56-amd64",
      cpu: { vendor: "GenuineIntel", family: 6, model: 142, stepping: 10 },
      keymap: "de-nodeadkeys",
      crypttab: ["cryptroot UUID=17a30000-0000-4000-8000-0000000000ab none luks,discard"],
      parameters: ["root=/dev/mapper/vg-root", "resume=/dev/mapper/vg-swap"],
      modules: ["dm_crypt", "dm_thin_pool", "ccm"],
    });
  });

  test("of an encrypted root without a crypttab: its UUID and its name are those of device mapper", () => {
    const { crypttab } = hintsOf(NOTEBOOK, { "/etc/crypttab": "other UUID=3 none luks\n" });
    expect(crypttab).toEqual(["cryptroot UUID=17a30000-0000-4000-8000-0000000000ab none luks"]);
  });

  test("of a subvolume of btrfs on a mirror", () => {
    const hints = hintsOf(MIRROR);
    expect(hints.volumes.map(shape)).toEqual(["md127 md raid1 on sda2 sdb2"]);
    expect(hints.disks.map(({ name, drivers }) => [name, ...names(drivers)])).toEqual([
      ["sda", "ahci", "sd_mod"],
      ["sdb", "ahci", "sd_mod"],
    ]);
    expect(hints.parameters).toEqual(["root=UUID=0a0a0a0a-0000-4000-8000-000000000001", "rootflags=subvol=@"]);
  });

  test("of a live system on a stick: what its overlay lies on", () => {
    const hints = hintsOf(STICK_SYSTEM);
    expect(hints.filesystems.map(({ type, devices }) => [type, ...devices])).toEqual([
      ["vfat", "sdb1"],
      ["squashfs", "loop0"],
      ["tmpfs"],
      ["overlay"],
    ]);
    expect(hints.volumes.map(shape)).toEqual(["loop0 loop on sdb1"]);
    expect(hints.disks.map(({ drivers }) => names(drivers))).toEqual([
      ["xhci_pci", "usbcore", "usbcore", "usb_storage", "sd_mod"],
    ]);
  });

  test("of a machine without fstab whose kernel has mounted /dev/root", () => {
    const hints = hintsOf(VIRTUAL);
    expect(hints.disks.map(({ name, drivers }) => [name, ...names(drivers)])).toEqual([
      ["vda", "virtio_pci", "virtio_blk"],
    ]);
    expect(hints.filesystems).toEqual([
      { path: "/", type: "ext4", options: "rw", devices: ["vda1"], isChecked: false },
    ]);
    expect(hints.parameters).toEqual(["root=UUID=5b5b5b5b-0000-4000-8000-000000000005"]);
    expect([hints.crypttab, hints.keymap]).toEqual([[], null]);
  });

  test("of a system without udev: the UUID is read from the root device, if this user may", () => {
    const { "/dev/disk/by-uuid/5b5b5b5b-0000-4000-8000-000000000005": _, ...files } = VIRTUAL;
    const root = fakeHost(files, { "/sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda1/size": "32\n" });
    expect(findHints(root, "x86_64").parameters).toEqual([]);
    const uuid = "0a1b2c3d-0001-4000-8000-000000000001";
    writeFileSync(join(root, "dev/vda1"), fakeImage("ext4", { uuid }).bytes);
    expect(findHints(root, "x86_64").parameters).toEqual([`root=UUID=${uuid}`]);
  });

  test("of a root on NFS", () => {
    const hints = hintsOf(DISKLESS);
    expect(hints.disks).toEqual([]);
    expect(hints.cards.map(({ name, isUp, drivers }) => [name, isUp, ...names(drivers)])).toEqual([
      ["eth0", true, "e1000e"],
      ["eth1", false, "r8169"],
    ]);
    expect([hints.links, hints.parameters]).toEqual([["bond"], ["root=nfs:192.0.2.1:/srv/root"]]);
  });

  test("of a separate /usr and of lines with x-initrd.mount, but not of others", () => {
    const { filesystems, disks } = hintsOf(MIRROR, VIRTUAL, {
      ...mounted(
        "253:1 / / ext4 /dev/vda1 rw",
        "0:24 /usr /usr btrfs /dev/md127 rw",
        "8:2 / /data xfs /dev/sda2 rw",
        "8:18 / /srv jfs /dev/sdb2 rw",
      ),
      "/etc/fstab":
        "/dev/md127 /usr btrfs subvol=usr 0 0\n/dev/sdb2 /srv jfs x-initrd.mount 0 2\n/dev/sda2 /data xfs x 0 0\n",
    });
    expect(filesystems.map(({ path, isChecked }) => [path, isChecked])).toEqual([
      ["/", false],
      ["/usr", false],
      ["/srv", true],
    ]);
    expect(disks.map(({ name }) => name)).toEqual(["vda", "sda", "sdb"]);
  });
});

describe("a disk", () => {
  const onDisk = (directory: string, ...more: readonly HostFiles[]) =>
    hintsOf(...more, block(directory, "259:9"), mounted("259:9 / / ext4 /dev/x rw")).disks;

  test("of an NVMe subsystem with two paths has the drivers of both controllers", () => {
    const subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
    const controllers = ["/sys/devices/pci0000:00/0000:01:00.0", "/sys/devices/pci0000:00/0000:02:00.0"];
    const [disk] = onDisk(`${subsystem}/nvme0n1`, ...controllers.map((place) => bound(place, "nvme")), {
      [`${controllers[0]}/nvme/nvme0/transport`]: "pcie\n",
      [`${controllers[1]}/nvme/nvme1/transport`]: "pcie\n",
      [`${subsystem}/nvme0`]: { to: `${controllers[0]}/nvme/nvme0` },
      [`${subsystem}/nvme1`]: { to: `${controllers[1]}/nvme/nvme1` },
    });
    expect([disk?.server, ...(disk?.drivers.map(({ device }) => device) ?? [])]).toEqual([
      null,
      "any 0000:01:00.0",
      "any 0000:02:00.0",
    ]);
  });

  test.each([
    ["/sys/devices/virtual/block/nbd0", "nbd"],
    ["/sys/devices/virtual/block/etherd!e1.1", "aoe"],
    ["/sys/devices/platform/host2/session1/target2:0:0/2:0:0:1/block/sdc", "iscsi"],
    ["/sys/devices/virtual/nvme-fabrics/ctl/nvme0/nvme0n1", "nvme-tcp"],
  ])("on a server is known as one: %s", (directory, server) => {
    const [disk] = onDisk(directory, { "/sys/devices/virtual/nvme-fabrics/ctl/nvme0/transport": "tcp\n" });
    expect(disk?.server).toBe(server as "nbd");
  });

  test("has the drivers of what supplies its controller before it", () => {
    const [soc, link] = ["/sys/devices/platform/soc", "/sys/devices/virtual/devlink/phy--mmc"];
    const [disk] = onDisk(`${soc}/mmc/mmc_host/mmc0/mmc0:0001/block/mmcblk0`, {
      ...bound(`${soc}/mmc`, "sdhci-msm", { module: "sdhci_msm" }),
      ...bound(`${soc}/phy`, "qcom-phy", { module: "phy_qcom" }),
      ...bound(`${soc}/mmc/mmc_host/mmc0/mmc0:0001`, "mmcblk", { module: "mmc_block" }),
      [`${link}/supplier`]: { to: `${soc}/phy` },
      [`${soc}/mmc/supplier:platform:phy`]: { to: link },
    });
    expect(names(disk?.drivers ?? [])).toEqual(["phy_qcom", "sdhci_msm", "mmc_block"]);
  });
});

test.each([
  ["mpath-3600", "multipath"],
  ["CRYPT-PLAIN-x", "plain"],
  ["CRYPT-INTEGRITY-x", "integrity"],
  ["CRYPT-VERITY-1234-x", "verity"],
  ["part1-mpath-3600", "mapping"],
])("a device of device mapper with the UUID %s is %s", (uuid, kind) => {
  const place = "/sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda";
  const { volumes } = hintsOf(
    VIRTUAL,
    volume("dm-0", "254:0", [place], { "dm/name": "x", "dm/uuid": uuid }),
    mounted("254:0 / / xfs /dev/mapper/x rw"),
  );
  expect(volumes.map((one) => one.kind)).toEqual([kind as "plain"]);
});

test("bcache and the members of a btrfs are found", () => {
  const place = (letter: string) => `/sys/devices/pci0000:00/0000:00:1f.2/block/sd${letter}`;
  const { volumes, disks } = hintsOf(
    block(place("a"), "8:0"),
    block(place("b"), "8:16"),
    block(place("c"), "8:32"),
    volume("bcache0", "252:0", [place("a"), place("b")]),
    {
      "/sys/fs/btrfs/u/devices/bcache0": { to: "/sys/devices/virtual/block/bcache0" },
      "/sys/fs/btrfs/u/devices/sdc": { to: place("c") },
    },
    mounted("0:30 / / btrfs /dev/bcache0 rw"),
  );
  expect([volumes.map(shape), disks.map(({ name }) => name)]).toEqual([
    ["bcache0 bcache on sda sdb"],
    ["sda", "sdb", "sdc"],
  ]);
});

test.each([
  ["KEYMAP=de-latin1\n", "", "de-latin1"],
  ['KEYMAP="us"\n', 'XKBLAYOUT="de"\n', null],
  ["", 'XKBLAYOUT="us"\n', null],
  ["", 'XKBLAYOUT="us"\nXKBVARIANT="intl"\n', "us-intl"],
  ["KEYMAP=../../etc/shadow\n", "", null],
])("the keymap is that of the console: %j %j", (vconsole, keyboard, expected) => {
  const files = { "/etc/vconsole.conf": vconsole, "/etc/default/keyboard": keyboard };
  expect(hintsOf(VIRTUAL, files).keymap).toBe(expected);
});

describe("a system without a root device", () => {
  test.each([
    ["a container", CONTAINER, "/ is overlay of overlay"],
    ["a ZFS", mounted("0:30 / / zfs rpool/ROOT/debian rw"), "/ is zfs of rpool/ROOT/debian"],
    ["a root in memory", mounted("0:2 / / rootfs rootfs rw"), "/ is rootfs of rootfs"],
    ["nothing in /proc", {}, "nothing is mounted at /"],
  ])("is refused: %s", (_, files, why) => {
    const said = refusalOf(() => hintsOf(files)).join("\n");
    expect(said).toContain(`cannot find the root device of this system\n  ${why}`);
    expect(said).toContain("hint: run levain host on the machine itself, outside of containers");
  });
});

describe("hints as JSON", () => {
  const good = JSON.stringify(hintsOf(NOTEBOOK));

  test("are read as they were written", () => {
    expect(parseHints(good, "h")).toEqual(hintsOf(NOTEBOOK));
  });

  test.each([
    ["", "h has no hints: it is not JSON"],
    ["[]", "h has no hints of this version of levain"],
    ["{}", "version: expected a value but received nothing"],
    [good.replace('"version":1', '"version":2'), "version: expected 1 but received 2"],
    [good.replace('"dm_crypt"', '"../x"'), 'modules[1]: expected the name of a module but received "../x"'],
    [good.replace('"type":"ext4"', '"type":5'), "filesystems[1].type: expected a string but received 5"],
    [good.replace("none luks,discard", "none\\nx /dev/sda /etc/shadow"), "crypttab[1]: expected text without control"],
    [good.replace("root=/dev/mapper/vg-root", "rd.timeout=x"), "parameters[1]: "],
    [good.replace('"kernel"', '"kernell"'), "unknown key kernell"],
  ])("are refused if they are malformed: %#", (text, expected) => {
    expect(refusalOf(() => parseHints(text, "h")).join("\n")).toContain(expected);
  });

  test("are printed again by the command that made them", async () => {
    const file = join(scratchDirectory(), "my hints\n.json");
    writeFileSync(file, good);
    const { status, stdout, stderr } = await desk("host", file);
    expect([status, stderr, JSON.parse(stdout)]).toEqual([0, "", JSON.parse(good)]);
    const missing = await desk("host", `${file}x`);
    expect([missing.status, missing.stderr.split("\n")[0]]).toEqual([
      1,
      `cannot read the hints ${file.replace("\n", "\\x0a")}x`,
    ]);
  });

  test("have no password of the command line", () => {
    const { cmdline } = hintsOf(VIRTUAL, { "/proc/cmdline": "quiet cifspass=secret root=LABEL=A\n" });
    expect(cmdline).toBe("quiet cifspass=… root=LABEL=A");
  });

  test("are shown as a table in which nothing moves the cursor", () => {
    const lines = formatHints(hintsOf(NOTEBOOK, { "/proc/sys/kernel/osrelease": "6.1\x1b[2J" }));
    expect(lines.join("\n")).toMatch(/^kernel +6\.1\\x1b\[2J +x86_64$/m);
    expect(lines.join("\n")).toMatch(/^volume +dm-0 +LUKS on nvme0n1p3, named cryptroot$/m);
    expect(lines.join("\n")).toMatch(/^disk +nvme0n1 +nvme, pcieport \(built in\)$/m);
    expect(lines.join("\n")).toMatch(/^parameter +root=\/dev\/mapper\/vg-root$/m);
  });
});
