import { beforeAll, describe, expect, test } from "bun:test";
import { retryBoot } from "../../src/rescue/commands/retry.ts";
import { type FakeBootOptions, fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import { headerOnDisk, withStaleSwap } from "../support/fake-contents.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// The report says what was seen and why it is not the root: situations from public bug reports, and others of their kind.

const UUID = "0a1b2c3d-0000-4000-8000-00000000abcd";
const FILESYSTEMS = ["ext4", "vfat", "squashfs", "btrfs"];

const oneLine = (text: string) => text.replaceAll(/\n +/g, " ");
const boot = (cmdline: string, disks: readonly FakeDisk[], more: FakeBootOptions = {}) =>
  fakeBoot({ cmdline: `${cmdline} rd.timeout=2`, filesystems: FILESYSTEMS, disks, ...more });
/** The console, each sentence on one line. */
const said = (...given: Parameters<typeof boot>) => oneLine(boot(...given).console);

describe("a device with contradicting signatures", () => {
  const disks = [{ name: "vda", image: withStaleSwap(rootImage()) }];

  test("is shown as such, and not used by its label or UUID", () => {
    for (const spec of ["LABEL=ROOT", `UUID=${UUID}`]) {
      const report = said(`root=${spec}`, disks);
      expect(report).toContain("seen: /dev/vda (ambivalent: it looks like swap and ext4)");
      expect(report).toContain("/dev/vda is ambivalent, so its label and UUID do not count");
      expect(report).toContain("root=/dev/vda rootfstype=ext4");
      expect(report).toContain("wipefs");
    }
    expect(said("root=LABEL=ROOT", disks)).toContain("· seen: /dev/vda (ambivalent");
  });

  test("is not mounted without its type, and boots with it", () => {
    const report = said("root=/dev/vda", disks);
    expect(report).toContain("it is ambivalent: it has the signatures of swap and ext4, and one of them is stale");
    expect(report).toContain("rootfstype=ext4");
    expect(report).toContain("remove the stale signature with wipefs --all --types swap DEVICE");
    expect(boot("root=/dev/vda rootfstype=ext4", disks).end).toMatchObject({ mode: "switch_root" });
  });
});

describe("what was seen", () => {
  test("a disk whose partitions the kernel does not show is not hidden", () => {
    const { bytes } = partitionDisk([{ image: rootImage() }]);
    const report = said("root=LABEL=ROOT", [{ name: "vda", content: bytes }]);
    expect(report).toContain("seen: /dev/vda (gpt partition table)");
    expect(report).not.toContain("no block device at all");
  });

  test("a partition with a table in it is not hidden", () => {
    const inner: FakeImage = { ...rootImage(), bytes: partitionDisk([{ image: rootImage() }]).bytes };
    const report = said("root=LABEL=ROOT", [{ name: "vda", partitions: [{ image: inner }] }]);
    expect(report).toContain("seen: /dev/vda1 (gpt partition table)");
  });

  test("a disk that cannot be read may be the root: check the cable", () => {
    const report = said("root=LABEL=ROOT", [{ name: "sdb", image: rootImage() }], {
      before: (machine) => machine.refuse("openAsyncReader", "/dev/sdb", "EIO"),
    });
    expect(report).toContain("/dev/sdb cannot be read, and may be the device");
    expect(report).toContain("hint: check the disk and its cable");
    expect(report).not.toContain("add the disk's driver");
  });

  test("a drive without a medium", () => {
    const report = said("root=LABEL=ROOT", [{ name: "sdb", content: new Uint8Array() }]);
    expect(report).toContain("seen: /dev/sdb (no medium)");
  });
});

describe("layers that are not supported yet are named", () => {
  test.each([
    ["stratis", "Stratis", "root=/dev/stratis/pool/root"],
    ["bitlocker-7", "BitLocker", "root=LABEL=ROOT"],
  ])("%s while waiting and in the report", (header, layer, cmdline) => {
    const report = said(cmdline, [{ name: "vda", image: headerOnDisk(header) }]);
    expect(report).toContain(`waiting for ${cmdline.slice(5)}, 1 of 2 s · seen: /dev/vda `);
    expect(report).toContain(`(${layer} is not supported yet)`);
    expect(report).toContain(`${layer} is not supported yet: it is on /dev/vda`);
    expect(report).toContain(`boot with an initramfs that sets up ${layer}`);
    expect(report).not.toContain("add the disk's driver");
  });

  test("a member as the root is not mounted, and no module is advised", () => {
    const report = said("root=/dev/vda", [{ name: "vda", image: headerOnDisk("lvm2-sector-2") }]);
    expect(report).toContain("it is a physical volume of LVM and holds no files of its own");
    expect(report).not.toContain("--module");
  });

  test("swap space as the root is called by its name", () => {
    const bytes = new Uint8Array(4 << 20);
    bytes.set(withStaleSwap(rootImage()).bytes.subarray(4000, 4096), 4000);
    new DataView(bytes.buffer).setUint32(1024, 1, true);
    new DataView(bytes.buffer).setUint32(1028, 1, true);
    const report = said("root=/dev/vda", [{ name: "vda", content: bytes }]);
    expect(report).toContain("it is swap space and holds no files of its own");
    expect(report).toContain("hint: name a device with a filesystem in root=");
  });
});

describe("in an unlocked volume", () => {
  const NAME = "6c657661-696e-4000-8000-00000000cafe";
  const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2 --uuid ${NAME} ${CHEAP} $1 key`;
  let lvm: FakeImage;
  let vdo: FakeImage;
  let empty: FakeImage;
  const nothing: FakeImage = { ...rootImage(), bytes: new Uint8Array(1 << 20) };
  beforeAll(async () => {
    lvm = await luksDisk({ name: "boot-lvm", script }, headerOnDisk("lvm2-sector-2"));
    vdo = await luksDisk({ name: "boot-vdo", script }, headerOnDisk("vdo"));
    empty = await luksDisk({ name: "boot-empty", script }, nothing);
  });
  const unlocked = (cmdline: string, image: FakeImage) =>
    oneLine(
      cryptBoot({
        cmdline: `${cmdline} rd.timeout=2`,
        disks: [{ name: "vda", image }],
        images: [],
        typing: typed("pass"),
      }).console,
    );

  test("a layer is named, and the report says that the volume was closed again", () => {
    const report = unlocked(`rd.luks.name=${NAME}=pv root=/dev/mapper/vdo`, vdo);
    expect(report).toContain("/dev/vda crypto_LUKS (unlocked as /dev/mapper/pv, closed again)");
    expect(report).toContain("/dev/mapper/pv vdo (VDO is not supported yet)");
    expect(report).toContain("VDO is not supported yet: it is on /dev/mapper/pv");
  });

  test("LVM as the root itself", () => {
    const report = unlocked(`rd.luks.name=${NAME}=pv root=/dev/mapper/pv`, lvm);
    expect(report).toContain("could not mount /dev/mapper/pv it is a physical volume of LVM");
  });

  test("nothing known is no reason to name a partition", () => {
    const report = unlocked(`rd.luks.name=${NAME}=pv root=/dev/mapper/pv`, empty);
    expect(report).toContain("it is unlocked, but holds nothing that levain knows, and no type was given");
    expect(report).toContain("check that the volume holds a filesystem");
    expect(report).not.toContain("name a partition");
  });
});

describe("a name that misses nearly", () => {
  const named = (label: string, type: "vfat" | "ext4" = "vfat") => [{ name: "sda", image: fakeImage(type, { label }) }];

  test.each([
    ["root=live:CDLABEL=Fedora-WS-Live-32-1-6", "FEDORA-WS-L", "vfat", " keeps at most 11 characters"],
    ["root=LABEL=a-label-of-some-length", "a-label-of-some-", "ext4", " keeps at most 16 characters"],
    ["root=LABEL=Root", "ROOT", "ext4", "has nearly that label"],
    ["root=LABEL=my_disk", "my disk", "ext4", "has nearly that label"],
  ] as const)("%s is %p", (cmdline, label, type, why) => {
    const report = said(cmdline, named(label, type));
    expect(report).toContain(`/dev/sda ${type} "${label}" has nearly that label`);
    expect(report).toContain(why);
    const word = label.includes(" ") ? `"LABEL=${label}"` : `LABEL=${label}`;
    expect(report).toContain(`hint: name that in root=: ${word}, or`);
  });

  test.each([
    ["ROTO", "ROOT"],
    ["Persistense", "persistence"],
  ])("%s is %s, misspelled", (wanted, label) => {
    expect(said(`root=LABEL=${wanted}`, named(label, "ext4"))).toContain(`"${label}" has nearly that label`);
  });

  test("a label in another encoding", () => {
    const report = said("root=LABEL=Données", [
      { name: "sda", image: fakeImage("ext4", { label: "DONN\x82ES", uuid: UUID }) },
    ]);
    expect(report).toContain('/dev/sda ext4 "DONN\\x82ES" has nearly that label');
    expect(report).toContain("hint: name that in root=: LABEL=DONN\\x82ES");
  });

  test.each([
    ["ROOT", "OTHER"],
    ["A", "B"],
    ["root", "boot"],
    ["ROOT_A", "ROOT_B"],
    ["STORE1", "STORE2"],
    ["Архив2019", "Папки2019"],
    ["éé", "öö"],
  ])("%s is not %s", (wanted, label) => {
    expect(said(`root=LABEL=${wanted}`, named(label, "ext4"))).not.toContain("nearly");
  });

  test("the only filesystem for a root has another UUID: it may have been made again", () => {
    const wanted = "99999999-2222-4333-8444-555555555555";
    const disks = [{ name: "vda", partitions: [{ image: fakeImage("vfat") }, { image: rootImage() }] }];
    const report = said(`root=UUID=${wanted}`, disks);
    expect(report).toContain('/dev/vda2 ext4 "ROOT" is the only filesystem for a Linux root here');
    expect(report).toContain(`hint: if it is the right one, name it in root=: UUID=${UUID}`);
    for (const other of [fakeImage("btrfs"), fakeImage("crypto_LUKS")]) {
      expect(said(`root=UUID=${wanted}`, [...disks, { name: "vdb", image: other }])).not.toContain(
        "the only filesystem",
      );
    }
    const usr = said(`root=UUID=${UUID} mount.usr=UUID=${wanted}`, disks);
    expect(usr).toContain("could not find the device for /usr");
    expect(usr).not.toContain("the only filesystem");
  });

  test("a value that belongs to another tag", () => {
    const partuuid = "11112222-3333-4444-5555-666677778888";
    const disks = [{ name: "vda", partitions: [{ image: rootImage(), uuid: partuuid, name: "root fs" }] }];
    const device = '/dev/vda1 ext4 "ROOT"';
    expect(said(`root=UUID=${partuuid}`, disks)).toContain(`${device} is PARTUUID=${partuuid}`);
    expect(said(`root=PARTUUID=${UUID}`, disks)).toContain(`${device} is UUID=${UUID}`);
    expect(said(`root="LABEL=root fs"`, disks)).toContain(`${device} is PARTLABEL=root fs`);
    expect(said("root=PARTLABEL=ROOT", disks)).toContain("hint: name that in root=: LABEL=ROOT");
  });

  test("the disk has another name on another controller", () => {
    const part = [{ name: "vda", partitions: [{ image: rootImage() }, { image: fakeImage("vfat") }] }];
    for (const path of ["/dev/sda1", "/dev/nvme0n1p1", "/dev/mmcblk0p1", "/dev/vdb1", "/dev/hda1"]) {
      const report = said(`root=${path}`, part);
      expect(report).toContain(`${path} depends on the disk's controller; /dev/vda1 ext4 "ROOT" may be the same disk`);
      expect(report).toContain(`hint: name it in root=: UUID=${UUID}`);
      expect(report).not.toContain("/dev/vda2 vfat may be");
    }
    expect(said("root=/dev/sda", [{ name: "nvme0n1", image: rootImage() }])).toContain(
      '/dev/nvme0n1 ext4 "ROOT" may be',
    );
    expect(said("root=/dev/sda3", part)).not.toContain("may be the same disk");
  });
});

describe("a driver on a blacklist", () => {
  const MODULES = "/lib/modules/6.1.0-fake";
  const machine = (cmdline: string, files = {}) =>
    said(`root=LABEL=ROOT ${cmdline}`, [], {
      sys: { "/bus/virtio/devices/virtio0/modalias": "virtio:d00000002v00001AF4\n" },
      files: {
        ...files,
        [`${MODULES}/modules.dep`]: `${String(INITRAMFS[`${MODULES}/modules.dep`])}kernel/drivers/block/virtio_blk.ko:\n`,
        [`${MODULES}/modules.alias`]: "alias virtio:d00000002v* virtio_blk\n",
        [`${MODULES}/kernel/drivers/block/virtio_blk.ko`]: "module",
      },
      modules: { virtio_blk: { disks: [{ name: "vda", image: rootImage() }] } },
    });

  test.each(["modprobe.blacklist=virtio_blk", "module_blacklist=floppy,virtio-blk", "rd.driver.blacklist=virtio_blk"])(
    "by %s",
    (word) => {
      const report = machine(word);
      expect(report).toContain(`the driver virtio_blk is on a blacklist: ${word}`);
      expect(report).toContain(`hint: remove ${word} from the kernel command line`);
      expect(report).not.toContain("add the disk's driver");
      expect(report).not.toContain("its driver is\n");
    },
  );

  test.each([["blacklist virtio_blk"], ["install virtio_blk /bin/false"]])("by %s in modprobe.d", (line) => {
    const report = machine("", { "/etc/modprobe.d/a.conf": `${line}\n` });
    expect(report).toContain(`the driver virtio_blk is on a blacklist: ${line}`);
    expect(report).toContain(`hint: remove the line "${line}" from modprobe.d and rebuild the image`);
  });

  test("of the image's own parameters", () => {
    const manifest = JSON.stringify({ version: 1, kernel: null, parameters: ["module_blacklist=virtio_blk"] });
    const report = machine("", { "/etc/levain.json": manifest });
    expect(report).toContain("hint: remove module_blacklist=virtio_blk from the parameters of levain.toml and rebuild");
  });

  test("without one the disk is found, and a blacklist of another driver is not mentioned", () => {
    expect(machine("")).toContain("switch_root");
    expect(machine("modprobe.blacklist=nouveau root=LABEL=OTHER")).not.toContain("blacklist:");
  });
});

describe("a driver that is missing", () => {
  const PCI = "/bus/pci/devices/0000:01:00.0";
  const MISSING = "/lib/modules/6.1.0-fake/levain-missing.zst";
  const without = (sys: Readonly<Record<string, string>>, lines: readonly string[] = [], aliases = "") =>
    said("root=LABEL=ROOT", [], {
      sys,
      files: { [MISSING]: Bun.zstdCompressSync(Buffer.from(aliases)) },
      before: (machine) => {
        for (const line of lines) machine.say(line);
      },
    });
  const sas = (code: string) => ({
    [`${PCI}/modalias`]: `pci:v00001000d00000097sv00001028sd00001F46bc${code}sc07i00\n`,
    [`${PCI}/class`]: `0x${code}0700\n`,
  });
  const aliases = "alias pci:v00001000d00000097sv*sd*bc*sc*i* mpt3sas\n";

  test("from the image is named, with the controller that needs it", () => {
    const report = without(sas("01"), [], aliases);
    expect(report).toContain("this image has no driver for the SAS controller 0000:01:00.0: mpt3sas");
    expect(report).toContain("hint: add the module to the image: levain image --module mpt3sas");
    expect(without(sas("03"), [], aliases)).not.toContain("has no driver for");
  });

  test.each([
    "mpt3sas 0000:01:00.0: Direct firmware load for mpt/a.bin failed with error -2",
    "mpt3sas 0000:01:00.0: firmware: failed to load mpt/a.bin (-2)",
  ])("because of its firmware: %s", (line) => {
    const report = without(sas("01"), [line, line]);
    expect(report).toContain("mpt3sas 0000:01:00.0 has not found its firmware mpt/a.bin\nseen");
    expect(report).toContain("add the file to the image: levain image --firmware mpt/a.bin");
    expect(without(sas("03"), [line])).not.toContain("firmware");
    expect(without({ ...sas("01"), [`${PCI}/driver/module`]: "" }, [line])).not.toContain("firmware");
  });

  test.each([
    "Loading of unsigned module is rejected",
    "Loading of module with unavailable key is rejected",
    "Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7",
  ])("because the kernel trusts no such signature: %s", (line) => {
    expect(without({}, [line])).toContain("the kernel loads only modules that are signed with a key that it trusts");
    const unknown = said("root=LABEL=WRONG", [{ name: "vda", image: rootImage() }], {
      before: (machine) => machine.say(line),
    });
    expect(unknown).not.toContain("a key that it trusts");
  });
});

describe("a device that cannot be searched for a file", () => {
  const ntfs = headerOnDisk("ntfs-named");
  const cmdline = "boot=live findiso=/debian.iso";

  test("is named with the reason", () => {
    const report = said(cmdline, [{ name: "sda", image: ntfs }]);
    expect(report).toContain(
      '/dev/sda ntfs "hand made" could not be searched: this kernel has no driver for ntfs, or the image lacks it',
    );
    expect(report).toContain("levain image --module ntfs3");
  });

  test("also if its driver is on a blacklist, or the kernel refuses it", () => {
    const files = { "/etc/modprobe.d/a.conf": "blacklist ntfs3\n" };
    const module = { "/lib/modules/6.1.0-fake/modules.dep": "kernel/fs/ntfs3/ntfs3.ko:\n" };
    const alias = { "/lib/modules/6.1.0-fake/modules.alias": "alias fs-ntfs3 ntfs3\n" };
    const file = { "/lib/modules/6.1.0-fake/kernel/fs/ntfs3/ntfs3.ko": "module" };
    const disks = [{ name: "sda", image: ntfs }];
    const blocked = said(cmdline, disks, { files: { ...files, ...module, ...alias, ...file } });
    expect(blocked).toContain("its driver ntfs3 is on a blacklist: blacklist ntfs3");
    const broken = said(cmdline, [{ name: "sda", image: rootImage() }], {
      before: (machine) => machine.refuse("mount", "/dev/sda", "EUCLEAN"),
    });
    expect(broken).toContain('/dev/sda ext4 "ROOT" could not be searched: the filesystem is damaged');
  });
});

test.each([
  [
    "ENXIO",
    "the device has gone (ENXIO)",
    "attach the disk again, and check its cable and its power, or `exit` retries",
  ],
  ["EIO", "the device returns I/O errors: it is failing, or its cable is (EIO)", "check the disk and its cable"],
  ["ENOMEM", "there is not enough memory (ENOMEM)", "give the machine more memory"],
  ["EBUSY", "it is mounted already, or part of another device (EBUSY)", "see what uses /dev/vda"],
  ["EINVAL", "an option is wrong (EINVAL)", "check /dev/vda with fsck"],
])("a mount that the kernel refuses with %s, in its words and with a cure", (errno, why, cure) => {
  const kernelLog = ["EXT4-fs (vda): some words"];
  const before = (machine: FakeMachine) => machine.refuse("mount", "/dev/vda", errno, { kernelLog });
  const report = said("root=LABEL=ROOT", [{ name: "vda", image: rootImage() }], { before });
  expect(report).toContain("could not mount /dev/vda at /sysroot");
  expect(report).toContain(why);
  expect(report).toContain("kernel: EXT4-fs (vda): some words");
  expect(report).toContain(`hint: ${cure}`);
});

describe("a btrfs", () => {
  const SUBVOLUMES = { "/@home": { subvolume: true }, "/@": { subvolume: true } } as const;
  const init = { "/@/sbin/init": { data: "#!/@/sbin/init\n", mode: 0o755 } } as const;
  const disks = [{ name: "vda", image: fakeImage("btrfs", { label: "ROOT" }, { ...SUBVOLUMES, ...init }) }];

  test("without the subvolume: the others are named, and the disk is left alone", () => {
    const { console, journal } = boot("root=LABEL=ROOT rootflags=compress=zstd:1,subvol=@root", disks);
    expect(oneLine(console)).toContain("btrfs: it has no subvolume @root; it has @, @home (ENOENT)");
    expect(oneLine(console)).toContain(
      "hint: correct the subvolume in rootflags=, or try one with `levain retry rootflags=subvol=@`",
    );
    expect(console).not.toContain("fsck");
    expect(journal).toContain(
      "mount btrfs /dev/vda at /run/levain/search (ro,nosuid,nodev,noexec,subvolid=5,rescue=nologreplay)",
    );
    expect(journal).toContain("unmount /run/levain/search");
  });

  test("whose top has no init: the subvolume with one is named", () => {
    const report = said("root=LABEL=ROOT", disks);
    expect(report).toContain("an init is in the subvolume @\nseen:");
    expect(report).toContain("hint: name the subvolume: rootflags=subvol=@");
    expect(report).not.toContain("subvolume @home");
  });

  test("with a name that a shell would obey is not put into a command", () => {
    const image = fakeImage("btrfs", { label: "ROOT" }, { "/$(reboot)": { subvolume: true } });
    const report = said("root=LABEL=ROOT rootflags=subvol=@", [{ name: "vda", image }]);
    expect(report).toContain("it has $(reboot)");
    expect(report).not.toContain("levain retry rootflags=");
  });
});

describe("a root without an init", () => {
  const without = (tree: Parameters<typeof rootImage>[1]) =>
    said("root=LABEL=ROOT", [{ name: "vda", image: fakeImage("ext4", { label: "ROOT" }, tree) }]);

  test("whose system is in a directory", () => {
    const init = { data: "#!/bin/sh\n", mode: 0o755 };
    const report = without({ "/@/sbin/init": init, "/home/user/notes": "", "/usr/sbin/init": init });
    expect(report).toContain("an init is in the directory @, but a root begins at the top of a filesystem");
    expect(report).toContain("move the content of that directory to the top of the filesystem");
    const more = without({ "/old/sbin/init": init, "/new/bin/init": init, "/link": { link: "/" } });
    expect(more).toContain("an init is in the directories new, old,");
  });

  test("whose /usr is a filesystem of its own", () => {
    const links = { "/sbin": { link: "usr/sbin" }, "/bin": { link: "usr/bin" }, "/usr": { directory: true } } as const;
    const report = without({ ...links, "/etc/fstab": "# <fs> /usr\nLABEL=USR\t/usr ext4 noauto 0 2\n" });
    expect(report).toContain("/usr is empty, and LABEL=USR, from which /etc/fstab mounts it, was not mounted");
    expect(report).toContain("name its device: mount.usr=LABEL=USR");
    expect(without(links)).toContain("/usr is empty");
    expect(without(links)).toContain("name its device: mount.usr=DEVICE");
    expect(without({ ...links, "/usr/sbin/other": "x" })).not.toContain("separate");
  });

  test("that its own fstab does not take for the root: an old one, or a copy", () => {
    const fstab = (source: string) => {
      const tree = { "/etc/fstab": `${source} / ext4 defaults 0 1\n`, "/etc/passwd": "" };
      return said("root=LABEL=ROOT", [{ name: "vda", image: fakeImage("ext4", { label: "ROOT", uuid: UUID }, tree) }]);
    };
    const report = fstab("UUID=0a1b2c3d-0000-4000-8000-00000000beef");
    expect(report).toContain(
      "its /etc/fstab says that the root is UUID=0a1b2c3d-0000-4000-8000-00000000beef: it may be an old",
    );
    expect(report).toContain("levain retry root=UUID=0a1b2c3d-0000-4000-8000-00000000beef");
    expect(fstab("LABEL=OTHER")).toContain("the root is LABEL=OTHER: it may be an old root, or a copy");
    for (const own of ["LABEL=ROOT", `UUID=${UUID.toUpperCase()}`, "/dev/vda", "UUID="])
      expect(fstab(own)).not.toContain("old root");
  });

  test("that is a tree of OSTree", () => {
    const report = without({ "/ostree/deploy/fedora": { directory: true }, "/boot": { directory: true } });
    expect(report).toContain("it is a tree of OSTree: ostree is not supported yet");
  });

  test("that is a live medium, or a boot partition", () => {
    const live = without({ "/LiveOS/squashfs.img": "hsqs" });
    expect(live).toContain("it is a live medium: the root is in the image /LiveOS/squashfs.img");
    expect(live).toContain("hint: boot the image: rd.image=/LiveOS/squashfs.img");
    expect(without({ "/lost+found": { directory: true } })).toContain("it is empty");
    const homes = without({ "/alice/.bashrc": "x", "/bob/.config/a": "x", "/lost+found": { directory: true } });
    expect(homes).toContain("it holds the home directories of users: alice, bob");
    expect(without({ "/root/.bashrc": "x", "/etc/fstab": "" })).not.toContain("home directories");
    expect(without({ "/vmlinuz-6.1": "x", "/grub": { directory: true } })).toContain("it looks like a boot partition");
  });

  test("the names of its files add no line and no command", () => {
    const report = without({ "/etc/fstab": "LABEL=\x1b[2J\u202e /usr ext4 noauto\n", "/usr": { directory: true } });
    expect(report).toContain("/usr is empty, and LABEL=\\x1b[2J\\u{202e}, from which");
  });

  test("found after `levain retry` with the right subvolume", () => {
    const tree = { "/@": { subvolume: true }, "/@/sbin/init": { data: "#!/bin/x\n", mode: 0o755 } } as const;
    const image = fakeImage("btrfs", { label: "ROOT" }, { ...tree, "/@/bin/x": rootFile() });
    const result = boot("root=LABEL=ROOT", [{ name: "vda", image }], {
      person: [(machine) => void retryBoot(machine, ["rootflags=subvol=@"])],
    });
    expect(result.end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
  });
});

function rootFile() {
  const elf = new Uint8Array(64);
  elf.set(Buffer.from("\x7fELF\x02\x01\x01", "latin1"));
  elf.set([2, 0, 62, 0], 16);
  return { data: elf, mode: 0o755 };
}

test("a table of partitions as the root: its partitions are named", () => {
  const report = said("root=/dev/vda", [
    { name: "vda", partitions: [{ image: rootImage() }, { image: fakeImage("vfat") }] },
  ]);
  expect(report).toContain(
    'it holds a gpt partition table, and no type was given its partitions: /dev/vda1 ext4 "ROOT", /dev/vda2 vfat',
  );
  expect(report).toContain("hint: name a partition in root=");
});
