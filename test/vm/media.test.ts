import { expect } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { assembleDisk, filesImage } from "../support/disk-images.ts";
import { rootImage, treeImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import {
  ARCH,
  archIso,
  debianIso,
  FEDORA_LABEL,
  fedoraIso,
  hybridIso,
  layerImage,
  textFile,
  textTree,
  ubuntuIso,
} from "../support/live-media.ts";
import type { Vm } from "../support/qemu.ts";
import { vmTest } from "../support/vm-test.ts";

// The lines are those of the media's own boot menus, with the parameters of live-boot(7), of "Booting live images" in dracut.cmdline(7)
// and of docs/README.bootparams of mkinitcpio-archiso; only the console comes before them. test/support/live-media.ts names the page
// that describes each medium.
const DEBIAN = "boot=live components quiet splash findiso=";
const FEDORA = `root=live:CDLABEL=${FEDORA_LABEL} rd.live.image quiet rhgb`;
const ARCH_LINE = `archisobasedir=arch archisosearchuuid=${ARCH.uuid}`;
const ARCH_BY_FILE = `archisobasedir=arch archisosearchfilename=/boot/${ARCH.uuid}.uuid`;
const DATA_UUID = "0a1b2c3d-0000-4000-8000-0000000000da";

async function ask(vm: Vm, command: string, answer: string | RegExp): Promise<void> {
  vm.send(`${command}\n`);
  await vm.expect(answer);
}

/** A disk that is no medium: an EFI partition, and a filesystem with a directory of the medium's name. */
async function otherDisk(): Promise<string> {
  const tree = textTree({ "live/README": "no image here", "arch/x86_64/README": "nor here" });
  const partitions = [{}, { file: await treeImage("ext4", tree, { label: "OTHER" }) }];
  return assembleDisk(partitions, { table: "gpt" });
}

/** A disk with a partition in which ISO files lie. */
async function isoDisk(type: "vfat" | "ext4", isos: Readonly<Record<string, () => Promise<string>>>): Promise<string> {
  const files: Record<string, string> = {};
  for (const [path, make] of Object.entries(isos)) files[path] = await make();
  const file = await filesImage(type, files, type === "vfat" ? { label: "ISOS" } : { label: "DATA", uuid: DATA_UUID });
  return assembleDisk([{}, { file, type: type === "vfat" ? "c" : "L" }], { table: "dos" });
}

// ISOs of Debian, Fedora and Arch that are as their projects make them are on sticks below; Debian's in files are on many filesystems.
// Those that are a whole disk, which have a loop device less, are in test/boot/media.test.ts.
const MEDIA: readonly [string, string, () => Promise<string>, readonly string[]][] = [
  [
    "Debian's ISO in a file of a device",
    "boot=live fromiso=/dev/vdb2/iso/debian.iso",
    () => isoDisk("vfat", { "/iso/debian.iso": () => debianIso() }),
    ["medium vfat /dev/vdb2 ro,", "iso iso9660 /dev/loop0 ro,", "lower squashfs /dev/loop1 ro,"],
  ],
  [
    "Fedora's ISO in a file",
    `iso-scan/filename=/boot/iso/f.iso ${FEDORA}`,
    () => isoDisk("vfat", { "/boot/iso/f.iso": () => fedoraIso() }),
    [
      "medium vfat /dev/vdb2 ro,",
      "iso iso9660 /dev/loop0 ro,",
      "outer squashfs /dev/loop1",
      "lower ext4 /dev/loop2 ro,",
    ],
  ],
  [
    "Arch's ISO in a file",
    `img_dev=/dev/disk/by-uuid/${DATA_UUID} img_loop=/arch.iso earlymodules=loop ${ARCH_LINE} cow_spacesize=64M`,
    () => isoDisk("ext4", { "/arch.iso": () => archIso() }),
    [
      ...["medium ext4 /dev/vdb2 ro,", "iso iso9660 /dev/loop0 ro,", "lower erofs /dev/loop1 ro,"],
      "overlay tmpfs tmpfs rw,relatime,size=65536k,",
    ],
  ],
];

/** How many of the three makers' places there are: of the medium, the overlay and the image's tree. */
const FAMILIAR = [
  "ls -d /run/live/medium/live/*.squashfs /run/initramfs/live/LiveOS/*.img /run/archiso/bootmnt/arch/x86_64/*fs",
  "ls -d /run/live/overlay/upper /run/initramfs/overlayfs/upper /run/archiso/cowspace/upper",
  "ls -d /run/live/rootfs/*/bin /run/rootfsbase/bin /run/archiso/airootfs/bin",
]
  .map((list) => `$(${list} 2>/dev/null | wc -l)`)
  .join(" ")
  .replace(/^/, "echo ");

for (const [name, cmdline, medium, mounts] of MEDIA) {
  vmTest(
    `${name} boots with its own line`,
    async () => levainGuest({ disks: [await otherDisk(), await medium()], cmdline }),
    async (vm) => {
      for (const mount of mounts) await vm.expect(`small-root: mount /run/levain/${mount}`);
      await vm.expect("small-root: mount / overlay overlay rw,");
      await vm.expect("small-root: ready");
      await ask(vm, "grep -c search /proc/mounts; echo x > /x && cat /x", /^0\s+x$/m);
      // Its tools find the medium and the image where its own initramfs would have mounted them.
      await ask(vm, FAMILIAR, /^([1-9]) \1 \1$/m);
    },
  );
}

/** A root, and two layers that change it. */
async function layeredImages(): Promise<Record<string, string>> {
  return {
    "10-base.squashfs": await rootImage("squashfs-zstd"),
    "15-tree.dir/etc/tree": await textFile("a directory\n"),
    "15-tree.dir/etc/desktop": await textFile("hidden\n"),
    "20-desktop.squashfs": await layerImage({ "etc/layer": "desktop\n", "etc/desktop": "yes\n" }),
    "30-work.squashfs": await layerImage({ "etc/layer": "work\n" }),
  };
}

// https://manpages.ubuntu.com/manpages/noble/man7/casper.7.html; the line is that of a loopback.cfg.
vmTest(
  "Ubuntu's ISO in a file boots with its own line: its layers are those that the name of the top one contains",
  async () => {
    const file = await isoDisk("ext4", { "/iso/ubuntu.iso": () => ubuntuIso("0a1b2c3d-0000-4000-8000-0000000000ca") });
    const layer = "layerfs-path=minimal.standard.live.squashfs uuid=0a1b2c3d-0000-4000-8000-0000000000ca";
    const cmdline = `boot=casper iso-scan/filename=/iso/ubuntu.iso ${layer} noprompt quiet splash persistent ---`;
    const changes = await treeImage("ext4", textTree({}), { label: "casper-rw" }, 16);
    return levainGuest({ disks: [await otherDisk(), file, changes], cmdline });
  },
  async (vm) => {
    const names = ["minimal", "minimal.standard", "minimal.standard.live"];
    for (const index of names.keys())
      await vm.expect(`mount /run/levain/lower/${index} squashfs /dev/loop${index + 1} ro,`);
    await vm.expect("small-root: ready");
    await ask(vm, "cat /etc/layer /etc/desktop; echo x > /x && cat /x", /^live\s+yes\s+x$/m);
    await ask(
      vm,
      "mount | grep -o 'vdc on .* ext4 (rw'; find /run/levain/store* -name x",
      /vdc on .* ext4 \(rw[\s\S]*\/x$/m,
    );
    await ask(
      vm,
      "grep -E ' /(cdrom|rofs|isodevice) ' /proc/mounts | cut -d' ' -f2,3 | sort | xargs",
      "/cdrom iso9660 /isodevice ext4 /rofs squashfs",
    );
    await ask(vm, "ls /cdrom/casper/*.manifest /rofs/bin/busybox /isodevice/iso/ubuntu.iso | wc -l", /^3$/m);
    await ask(vm, "echo y > /cdrom/x; echo y > /rofs/x; ls /cdrom/x /rofs/x; echo asked-$((0))", "asked-0");
    expect(vm.log()).not.toContain("\n/cdrom/x");
  },
);

vmTest(
  "live-boot's images are layers in the order of their names",
  async () => levainGuest({ disks: [await debianIso(await layeredImages())], cmdline: "boot=live" }),
  async (vm) => {
    const texts = ["10-base.squashfs", "15-tree.dir", "20-desktop.squashfs", "30-work.squashfs"].map(
      (name) => `/live/${name.replace(".", "\\.")} \\((?:squashfs|directory)\\) \\+ `,
    );
    await vm.expect(new RegExp(`layers +${texts.join("").replaceAll(" ", "\\s+")}\\s*tmpfs at /sysroot`));
    await vm.expect("mount /run/levain/lower/0 squashfs /dev/loop0 ro,");
    await vm.expect("mount /run/levain/lower/1 iso9660 /dev/vda ro,");
    for (const index of [1, 2]) await vm.expect(`mount /run/levain/lower/${index + 1} squashfs /dev/loop${index} ro,`);
    await vm.expect("small-root: ready");
    await ask(vm, "cat /etc/layer /etc/desktop /etc/tree", /^work\s+yes\s+a directory$/m);
  },
);

vmTest(
  "rd.layer= puts images and devices over an image",
  async () => {
    const image = await rootImage("squashfs-zstd");
    const extra = await layerImage({ "etc/layer": "extra\n", "etc/extra": "yes\n" });
    const stick = await filesImage("vfat", { "/newroot.sfs": image, "/extra.sfs": extra }, { label: "FLASH" });
    const top = await treeImage("ext4", textTree({ "etc/layer": "top\n" }), { label: "TOP" });
    const cmdline = "root=LABEL=FLASH rd.image=/newroot.sfs rd.layer=/extra.sfs rd.layer=LABEL=TOP rd.overlay=0";
    return levainGuest({ disks: [stick, top], cmdline });
  },
  async (vm) => {
    await vm.expect("mount /run/levain/lower/2 ext4 /dev/vdb ro,");
    await vm.expect("small-root: mount / overlay overlay ro,");
    await vm.expect("small-root: ready");
    await ask(vm, "cat /etc/layer /etc/extra; echo x > /x", /^top\s+yes\s.*Read-only file system$/ms);
  },
);

vmTest(
  "rd.layer= puts an image over a device",
  async () => {
    const extra = { file: await layerImage({ "etc/layer": "extra\n" }), mode: 0o644 };
    return levainGuest({
      disks: [await rootImage("ext4", { label: "ROOT" }, { "/extra.sfs": extra })],
      cmdline: "root=LABEL=ROOT rw rd.layer=/extra.sfs",
    });
  },
  async (vm) => {
    await vm.expect("mount /run/levain/lower/0 ext4 /dev/vda ro,");
    await vm.expect("mount /run/levain/lower/1 squashfs /dev/loop0 ro,");
    await vm.expect("small-root: ready");
    await ask(vm, "cat /etc/layer", /^extra$/m);
  },
);

vmTest(
  "ISOs written to sticks boot with their own command lines, by their partitions",
  async () => {
    const sticks = await Promise.all((["debian", "fedora", "arch"] as const).map(hybridIso));
    return levainGuest({
      disks: [await otherDisk(), ...sticks],
      cmdline: `archisobasedir=arch archisolabel=${ARCH.label} init=/none`,
    });
  },
  async (vm) => {
    // What was given before stays: of these each takes the place of the one before.
    const boots = [
      ["", "/dev/vdd1", "/arch/x86_64/airootfs.sfs"],
      [ARCH_LINE, "/dev/vdd1", "/arch/x86_64/airootfs.sfs"],
      [ARCH_BY_FILE, "/dev/vdd1", "/arch/x86_64/airootfs.sfs"],
      [DEBIAN, "/dev/vdb1", "/live/filesystem.squashfs"],
      [FEDORA, "/dev/vdc1", "/LiveOS/squashfs.img"],
    ] as const;
    for (const [line, node, image] of boots) {
      // Words that are for the system in the image are no parameters of a retry.
      if (line !== "") vm.send(`levain retry ${line.replaceAll(/ (?:components|splash|rhgb)\b/g, "")}\n`);
      await vm.expect("the root's init /none cannot be started");
      await vm.expect(PROMPT);
      await ask(
        vm,
        "grep medium /proc/mounts; cat /sys/block/loop0/loop/backing_file",
        `${node} /run/levain/medium iso9660 ro,`,
      );
      await vm.expect(`/run/levain/medium${image}\n`);
      await vm.expect(PROMPT);
      await ask(vm, FAMILIAR, /^([1-9]) \1 \1$/m);
      await vm.expect(PROMPT);
    }
    expect(vm.log()).not.toContain("devices match");
    await ask(vm, "levain retry init=/sbin/init", "small-root: ready");
  },
);

/** A disk of a filesystem that is made by a script, $1, with what is in the directory $2. */
async function scriptedDisk(script: string, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = scratchDirectory();
  const [disk, tree] = [join(directory, "disk"), join(directory, "tree")];
  mkdirSync(tree);
  for (const [name, file] of Object.entries(files)) copyFileSync(file, join(tree, name));
  await runScript(`{ ${script}; } > /dev/null`, [disk, tree]);
  return disk;
}

vmTest(
  "an ISO is found on a disk of any kind",
  async () => {
    const iso = await debianIso();
    const disks = [
      await scriptedDisk('truncate -s 24M "$1"; mkfs.exfat "$1"', {}),
      await filesImage("xfs", { "/xfs.iso": iso }),
      await filesImage("btrfs", { "/btrfs.iso": iso }),
      await scriptedDisk('truncate -s 96M "$1"; mkfs.f2fs -q "$1"; sload.f2fs -f "$2" "$1"', { "f2fs.iso": iso }),
      await scriptedDisk('genisoimage -quiet -udf -R -o "$1" "$2"', { "udf.iso": iso }),
    ];
    const cmdline = "boot=live findiso=/xfs.iso init=/none";
    return levainGuest({ image: { kernel: "full" }, disks, cmdline, memoryMib: 768 });
  },
  async (vm) => {
    const types = ["xfs", "btrfs", "f2fs", "udf", "exfat"];
    for (const [index, type] of types.entries()) {
      if (index > 0) vm.send(`levain retry findiso=/${type}.iso\n`);
      await vm.expect(`layers    /${type}.iso (iso9660): /live/filesystem.squashfs (squashfs) + tmpfs at /sysroot`);
      await vm.expect(PROMPT);
      await ask(vm, "grep medium /proc/mounts", `/dev/vd${"bcdea"[index]} /run/levain/medium ${type} ro,`);
      // No tool of a host writes into an exFAT that is not mounted; the search has loaded its driver.
      const copy = "mount -t exfat /dev/vda /mnt && cp /run/levain/medium/udf.iso /mnt/exfat.iso; umount /mnt";
      if (type === "udf") await ask(vm, `mkdir -p /mnt; ${copy}; echo copied-$((0))`, "copied-0");
    }
  },
);

vmTest(
  "live-media=removable-usb skips the copy on the internal disk",
  async () =>
    levainGuest({
      image: { kernel: "full" },
      disks: [await debianIso(), { file: await debianIso(), bus: "usb" }],
      cmdline: "boot=live live-media=removable-usb",
      memoryMib: 768,
    }),
  async (vm) => {
    await vm.expect("small-root: mount /run/levain/medium iso9660 /dev/sda ro,");
    await vm.expect("small-root: ready");
  },
);
