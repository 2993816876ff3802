import { describe, expect, test } from "bun:test";
import { SUM_DIGESTS } from "../../../src/parameters/checks.ts";
import type { DeviceSpec, FileSpec } from "../../../src/parameters/device-spec.ts";
import type { StorePlan } from "../../../src/parameters/stack/overlay.ts";
import { NO_CHECKS } from "../../../src/plan/checks/checks.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { LIVE_IMAGES } from "../../../src/plan/media.ts";
import type { BootPlan, ImagePlan, PersistencePlan } from "../../../src/plan/plan.ts";
import { type RootSource, rootDevices } from "../../../src/plan/root.ts";
import { BootError } from "../../../src/problems/errors.ts";

/*
 * Command lines from the documentation or the boot menus of other projects, and what they mean to levain: parts of the
 * plan, or warnings.
 */

const make = (cmdline: string) => makePlan({ cmdline, manifest: null, machine: "x86_64" });

const label = (value: string): DeviceSpec => ({ by: "label", value });
const uuid = (value: string): DeviceSpec => ({ by: "uuid", value });
const path = (value: string): DeviceSpec => ({ by: "path", path: value });
const block = (...devices: DeviceSpec[]): RootSource => ({ kind: "block", devices });
const holding = (...paths: string[]): FileSpec => ({ by: "file", paths, among: "all" });
const image = (more: Partial<ImagePlan>): ImagePlan => ({
  iso: null,
  paths: [],
  stacked: [],
  directory: null,
  inner: [],
  copyToRam: false,
  maker: null,
  ...more,
});
const changesOn = (device: DeviceSpec, at: string | null, more: Partial<StorePlan> = {}) => ({
  kind: "store" as const,
  store: { device, path: at, isNamedByMedium: false, options: "", ...more },
  policy: "required" as const,
  reset: false,
  readOnly: false,
  size: null,
});
const TMPFS = { kind: "tmpfs", size: null } as const;

const dracutImage = (directory: string, name: string, more: Partial<ImagePlan> = {}) =>
  image({
    paths: [name, "rootfs.img", "ext3fs.img"].map((file) => `${directory}/${file}`),
    inner: ["/LiveOS/rootfs.img", "/LiveOS/ext3fs.img"],
    maker: "dracut",
    ...more,
  });
const LIVE_TYPES = ["squashfs", "erofs", "ext2", "ext3", "ext4", "xfs", "jffs2"];
const liveSearch = (directory = "/live") => holding(...[...LIVE_TYPES, "dir/"].map((type) => `${directory}/*.${type}`));
const marked = (uuid: string): DeviceSpec => ({
  ...holding(...LIVE_IMAGES.map((name) => `/casper/${name}`)),
  mark: { uuid, paths: ["/.disk/casper-uuid*"] },
});
const PERSISTENCE: PersistencePlan = {
  volumes: [
    { name: "persistence", keeps: "listed" },
    { name: "live-rw", keeps: "root" },
    { name: "home-rw", keeps: "home" },
  ],
  upper: "rw",
  inFilesystems: true,
  inside: ["file"],
  path: "",
  among: "all",
  unencrypted: true,
  encrypted: false,
  policy: "fallback",
  readOnly: false,
};
const UNUSED_PERSISTENCE =
  "persistence is not used: it needs boot=live or boot=casper, and a tmpfs as the overlay; see rd.overlay=DEVICE";
const liveImage = (more: Partial<ImagePlan> = {}) =>
  image({ maker: "live-boot", directory: { path: "/live", list: "filesystem" }, ...more });
const archPaths = (directory: string) => ["sfs", "erofs"].map((type) => `${directory}/x86_64/airootfs.${type}`);

type Case = readonly [cmdline: string, plan: Partial<BootPlan>, warnings?: readonly string[]];

const KEPT: Readonly<Record<string, readonly Case[]>> = {
  // defaults/linuxrc of genkernel, genkernel(8).
  genkernel: [
    [
      "root=/dev/ram0 init=/linuxrc real_root=/dev/sda3 rootflags=kernel real_rootflags=subvol=root dolvm scandelay=3",
      { root: block(path("/dev/sda3")), rootOptions: "subvol=root" },
    ],
    [
      "root=UUID=3f5ad593-4546-4a94-a374-bcfb68aa11f7 domdadm",
      { root: block(uuid("3f5ad593-4546-4a94-a374-bcfb68aa11f7")) },
    ],
    ["root=/dev/ram0 crypt_root=/dev/sda2", { root: block(path("/dev/mapper/root")) }],
    ["crypt_root=/dev/sda2 real_root=/dev/vg/root dolvm", { root: block(path("/dev/vg/root")) }],
    ["crypt_root=/dev/sda2 root=LABEL=R", { root: block(label("R")) }],
  ],
  "dracut.cmdline(7)": [
    [
      "root=/dev/disk/by-path/pci-0000:00:1f.1-scsi-0:0:1:0-part1",
      { root: block(path("/dev/disk/by-path/pci-0000:00:1f.1-scsi-0:0:1:0-part1")) },
    ],
    ["root=/dev/disk/by-label/Root", { root: block(label("Root")) }],
    ["root=UUID=3f5ad593-4546-4a94-a374-bcfb68aa11f7", { root: block(uuid("3f5ad593-4546-4a94-a374-bcfb68aa11f7")) }],
    [
      "root=LABEL=Root rootfstype=ext3 rootflags=noatime rw",
      { rootTypes: ["ext3"], rootOptions: "noatime", rootWritable: true },
    ],
    ["root=LABEL=a rootfallback=/dev/sdb1", { root: block(label("a"), path("/dev/sdb1")) }],
    [
      "root=live:CDLABEL=Fedora-WS-Live-39 rd.live.image quiet rhgb",
      { root: block(label("Fedora-WS-Live-39")), image: dracutImage("/LiveOS", "squashfs.img"), overlay: TMPFS },
    ],
    ["root=live:UUID=2023-11-01-01-41-09-00", { root: block(uuid("2023-11-01-01-41-09-00")) }],
    [
      "root=live:/dev/sr0 rd.live.dir=os rd.live.squashimg=root.img",
      { root: block(path("/dev/sr0")), image: dracutImage("/os", "root.img") },
    ],
    [
      "root=live:CDLABEL=TOP rd.live.dir=/ rd.live.squashimg=rootfs.squashfs",
      { root: block(label("TOP")), image: dracutImage("", "rootfs.squashfs") },
    ],
    [
      "root=live:CDLABEL=My\\x20Disk rd.live.dir=.",
      { root: block(label("My Disk")), image: dracutImage("", "squashfs.img") },
    ],
    ["root=live:LABEL=L rd.live.ram=1", { image: dracutImage("/LiveOS", "squashfs.img", { copyToRam: true }) }],
    [
      "boot=isolinux iso-scan/filename=/boot/iso/F.iso root=live:LABEL=F ro rd.live.image quiet rhgb",
      {
        root: block(holding("/boot/iso/F.iso")),
        image: dracutImage("/LiveOS", "squashfs.img", { iso: "/boot/iso/F.iso" }),
      },
    ],
    ["root=live:LABEL=L rd.live.overlay.size=512", { overlay: { kind: "tmpfs", size: "512M" } }],
    ["root=live:LABEL=L rd.live.overlay=none rd.live.overlay.thin=1 rd.live.debug=1", { overlay: TMPFS }],
    ["root=live:LABEL=L rd.live.overlay.overlayfs=1", { overlay: TMPFS }],
    ["root=LABEL=R rd.live.overlay.overlayfs=1", { image: null, overlay: TMPFS }],
    [
      "root=live:LABEL=L rd.live.overlay=/dev/sdb1:persistent-overlay.img rd.live.overlay.overlayfs=1",
      { overlay: changesOn(path("/dev/sdb1"), "/persistent-overlay.img") },
    ],
    [
      "root=live:LABEL=L rd.live.dir=os rd.live.overlay=UUID=ab-cd rd.live.overlay.reset",
      { overlay: { ...changesOn(uuid("ab-cd"), "/os", { isNamedByMedium: true }), reset: true } },
    ],
    [
      "root=live:LABEL=L rd.live.overlay=LABEL=D:auto rd.live.overlay.readonly=1",
      { overlay: { ...changesOn(label("D"), "/LiveOS", { isNamedByMedium: true }), readOnly: true } },
    ],
    [
      "root=LABEL=L rd.overlay=/dev/mapper/enc:persistent",
      { overlay: changesOn(path("/dev/mapper/enc"), "/persistent") },
    ],
    ["root=LABEL=L rd.live.overlay.readonly=1", {}, ["rd.overlay.readonly needs a device in rd.overlay= or rd.union="]],
    [
      "root=live:LABEL=L rd.live.overlay.readonly=0 rd.live.overlay.cowfs=btrfs rd.writable.fsimg=1",
      { overlay: TMPFS },
    ],
    ["root=LABEL=R rd.skipfsck", { rootCheck: "skip" }],
    [
      "root=LABEL=R rd.dm.uuid=ab netroot=fcoe:x rd.iscsi.firmware=1 rd.lvm=0 rd.md=0 rd.dm=0",
      {},
      [
        "rd.dm.uuid= is not supported yet, ignoring it: no device of firmware RAID is set up",
        "netroot= is not supported yet, ignoring it: the network is not set up",
        "rd.iscsi.firmware= is not supported yet, ignoring it: the network is not set up",
      ],
    ],
    ["root=live:LABEL=L rd.live.check", { checks: { ...NO_CHECKS, iso: true } }],
    [
      "root=LABEL=R rd.driver.pre=a rd.driver.post=b rd.driver.blacklist=c",
      { modules: { load: ["a", "b"], parameters: {}, blacklist: ["c"] } },
    ],
    [
      "root=LABEL=R rd.emergency=reboot rd.shell=0",
      {
        rescue: {
          shell: false,
          breaks: [],
          onFailure: "reboot",
          panicSeconds: null,
          afterSeconds: null,
          log: null,
          hasHooks: true,
          helpUrl: null,
        },
      },
    ],
  ],
  // https://manpages.ubuntu.com/manpages/noble/man7/casper.7.html, and the boot menus of Ubuntu's media.
  "casper(7)": [
    [
      "boot=casper layerfs-path=minimal.standard.live.squashfs --- quiet splash",
      {
        root: block(holding("/casper/minimal.standard.live.squashfs")),
        image: image({
          maker: "casper",
          stacked: ["minimal", "minimal.standard", "minimal.standard.live"].map((name) => `/casper/${name}.squashfs`),
        }),
        overlay: TMPFS,
      },
    ],
    [
      "BOOT=casper noprompt quiet splash",
      {
        root: block(liveSearch("/casper")),
        image: image({ maker: "casper", directory: { path: "/casper", list: null } }),
      },
    ],
    [
      "boot=casper iso-scan/filename=/isos/ubuntu.iso layerfs-path=filesystem.squashfs toram",
      {
        root: block(holding("/isos/ubuntu.iso")),
        image: image({
          maker: "casper",
          iso: "/isos/ubuntu.iso",
          stacked: ["/casper/filesystem.squashfs"],
          copyToRam: true,
        }),
      },
    ],
    [
      "boot=casper live-media-path=/os layerfs-path=a.b.squashfs",
      { image: image({ maker: "casper", stacked: ["/os/a.squashfs", "/os/a.b.squashfs"] }) },
    ],
    [
      "boot=casper layerfs-path=/cdrom/own/top.squashfs",
      { image: image({ maker: "casper", stacked: ["/own/top.squashfs"] }) },
    ],
    [
      "boot=casper live-media=/dev/sr0 uuid=ab-cd",
      {
        root: block(path("/dev/sr0"), marked("ab-cd")),
        image: image({ maker: "casper", directory: { path: "/casper", list: null } }),
      },
    ],
    ["boot=casper uuid=ab-cd", { root: block(marked("ab-cd")) }],
    ["boot=casper uuid=ab-cd ignore_uuid", { root: block(liveSearch("/casper")) }],
    ["boot=casper live-media=removable-usb", { root: block({ ...liveSearch("/casper"), among: "usb" } as DeviceSpec) }],
    [
      "boot=casper persistent persistent-path=keep",
      {
        persistence: {
          ...PERSISTENCE,
          volumes: [
            { name: "writable", keeps: "root" },
            { name: "casper-rw", keeps: "root" },
            { name: "home-rw", keeps: "home" },
          ],
          upper: "upper",
          path: "/keep",
        },
      },
    ],
    ["root=LABEL=R boot=casper layerfs-path=a.squashfs", { root: block(label("R")), image: null }],
  ],
  "live-boot(7)": [
    ["boot=live components quiet splash findiso=", { root: block(liveSearch()), image: liveImage(), overlay: TMPFS }],
    ["boot=live live-media=/dev/sdb1", { root: block(path("/dev/sdb1"), liveSearch()) }],
    ["boot=live bootfrom=/dev/disk/by-label/DEBIAN", { root: block(label("DEBIAN"), liveSearch()) }],
    ["boot=live live-media=removable", { root: block({ ...liveSearch(), among: "removable" } as DeviceSpec) }],
    ["boot=live live-media=removable-usb", { root: block({ ...liveSearch(), among: "usb" } as DeviceSpec) }],
    [
      "boot=live live-media-path=/",
      { root: block(liveSearch("")), image: liveImage({ directory: { path: "", list: "filesystem" } }) },
    ],
    [
      "boot=live live-media-path=/os/live",
      {
        root: block(liveSearch("/os/live")),
        image: liveImage({ directory: { path: "/os/live", list: "filesystem" } }),
      },
    ],
    ["boot=live live-media-timeout=10", { rootTimeoutMs: 10_000 }],
    ["boot=live module=desktop", { image: liveImage({ directory: { path: "/live", list: "desktop" } }) }],
    ["boot=live toram", { image: liveImage({ copyToRam: true }) }],
    ["boot=live toram=filesystem.squashfs", { image: liveImage({ copyToRam: true }) }],
    [
      "boot=live findiso=/isos/debian.iso",
      { root: block(holding("/isos/debian.iso")), image: liveImage({ iso: "/isos/debian.iso" }) },
    ],
    [
      "boot=live fromiso=/dev/sda1/live/image.iso",
      { root: block(path("/dev/sda1")), image: liveImage({ iso: "/live/image.iso" }) },
    ],
    [
      "boot=live isofrom=/dev/disk/by-uuid/AB-CD/live/image.iso",
      { root: block(uuid("AB-CD")), image: liveImage({ iso: "/live/image.iso" }) },
    ],
    [
      "boot=live fromiso=/dev/mapper/vg-isos/image.iso",
      { root: block(path("/dev/mapper/vg-isos")), image: liveImage({ iso: "/image.iso" }) },
    ],
    ["boot=live overlay-size=75%", { overlay: { kind: "tmpfs", size: "75%" } }],
    ["boot=live nopersistence noeject ignore_uuid username=user hostname=live", { root: block(liveSearch()) }],
    ["boot=live persistence", { persistence: PERSISTENCE }],
    ["boot=live persistence nopersistence", { persistence: null }],
    ["boot=live nopersistence persistence", { persistence: null }],
    ["boot=live persistence rd.overlay=0", { persistence: null, overlay: null }, [UNUSED_PERSISTENCE]],
    [
      "boot=live persistence persistence-label=work,play persistence-subtext=x persistence-storage=file persistence-path=/a/b",
      {
        persistence: {
          ...PERSISTENCE,
          volumes: ["work-x", "play-x"].map((name) => ({ name, keeps: "listed" as const })),
          inFilesystems: false,
          path: "/a/b",
        },
      },
    ],
    [
      "boot=live persistence persistence-storage=filesystem persistence-media=removable-usb persistence-encryption=luks persistence-read-only",
      {
        persistence: {
          ...PERSISTENCE,
          inside: [],
          among: "usb",
          unencrypted: false,
          encrypted: true,
          readOnly: true,
        },
      },
    ],
    [
      "boot=live persistence persistence-method=snapshot",
      { persistence: PERSISTENCE },
      ["persistence-method= is not supported yet, ignoring it: changes are kept by overlayfs"],
    ],
    ["boot=live verify-checksums=md5,sha256", { checks: { ...NO_CHECKS, sums: ["sha256", "md5"] } }],
    [
      "boot=live break=premount debug=1",
      {
        rescue: {
          shell: true,
          breaks: ["root"],
          onFailure: "shell",
          panicSeconds: null,
          afterSeconds: null,
          log: null,
          hasHooks: true,
          helpUrl: null,
        },
        talk: { level: "debug", log: "all" },
      },
    ],
  ],
  "archiso's README.bootparams": [
    [
      "archisobasedir=arch archisosearchuuid=2025-11-01-10-20-30-00",
      {
        root: block(uuid("2025-11-01-10-20-30-00"), holding("/boot/2025-11-01-10-20-30-00.uuid")),
        image: image({ maker: "archiso", paths: archPaths("/arch") }),
        overlay: TMPFS,
      },
    ],
    ["archisobasedir=arch archisolabel=ARCH_202511", { root: block(label("ARCH_202511")) }],
    [
      "archisodevice=/dev/sr0",
      { root: block(path("/dev/sr0")), image: image({ maker: "archiso", paths: archPaths("/arch") }) },
    ],
    [
      "archisobasedir=/EFI/archiso archisosearchfilename=/EFI/archiso/boot/x86_64/vmlinuz-linux",
      {
        root: block(holding("/EFI/archiso/boot/x86_64/vmlinuz-linux")),
        image: image({ maker: "archiso", paths: archPaths("/EFI/archiso") }),
      },
    ],
    ["archisobasedir=/", { root: block(holding(...archPaths(""))) }],
    ["archisobasedir=arch archisolabel=ARCH\\x20X", { root: block(label("ARCH X")) }],
    ["archisobasedir=arch", { root: block(holding(...archPaths("/arch"))) }],
    [
      "archisolabel=A copytoram=y cow_spacesize=1G",
      {
        image: image({ maker: "archiso", paths: archPaths("/arch"), copyToRam: true }),
        overlay: { kind: "tmpfs", size: "1G" },
      },
    ],
    [
      "archisolabel=A copytoram=n checksum=n verify=n",
      { image: image({ maker: "archiso", paths: archPaths("/arch") }) },
    ],
    ["archisolabel=A checksum=y", { checks: { ...NO_CHECKS, sums: SUM_DIGESTS } }],
    ["archisolabel=A cms_verify=y", { checks: { ...NO_CHECKS, signature: true } }],
    [
      "archisolabel=A cow_label=COW cow_flags=noatime cow_persistent=P",
      { overlay: changesOn(label("COW"), "/persistent_A/x86_64", { options: "noatime" }) },
    ],
    ["archisolabel=A cow_device=/dev/sdb1 cow_directory=/", { overlay: changesOn(path("/dev/sdb1"), null) }],
    [
      "img_dev=/dev/disk/by-uuid/AB-CD img_loop=/iso/arch.iso earlymodules=loop archisobasedir=arch archisolabel=A",
      {
        root: block(uuid("AB-CD")),
        image: image({ maker: "archiso", iso: "/iso/arch.iso", paths: archPaths("/arch") }),
        modules: { load: ["loop"], parameters: {}, blacklist: [] },
      },
    ],
    [
      "img_label=DATA img_loop=/arch.iso archisolabel=A img_flags=noatime",
      { root: block(label("DATA")), rootOptions: "noatime" },
    ],
  ],
  "mkinitcpio(8)": [
    [
      "root=PARTLABEL=root rw rootfstype=btrfs rootflags=subvol=@ rootdelay=40",
      {
        root: block({ by: "partlabel", value: "root" }),
        rootTypes: ["btrfs"],
        rootOptions: "subvol=@",
        rootTimeoutMs: 40_000,
      },
    ],
    [
      "root=LABEL=R break=postmount disablehooks=resume earlymodules=nvme",
      {
        rescue: {
          shell: true,
          breaks: ["init"],
          onFailure: "shell",
          panicSeconds: null,
          afterSeconds: null,
          log: null,
          hasHooks: true,
          helpUrl: null,
        },
        modules: { load: ["nvme"], parameters: {}, blacklist: [] },
      },
    ],
    ["root=LABEL=R rd.debug=1 rd.log=console", { talk: { level: "debug", log: "console" } }],
  ],
  "initramfs-tools(7)": [
    [
      "root=/dev/sda1 ro boot=local rootdelay=5 panic=10",
      {
        root: block(path("/dev/sda1")),
        rootTimeoutMs: 30_000,
        rescue: {
          shell: true,
          breaks: [],
          onFailure: "reboot",
          panicSeconds: 10,
          afterSeconds: null,
          log: null,
          hasHooks: true,
          helpUrl: null,
        },
      },
    ],
    [
      "root=LABEL=R blacklist=pcspkr,nouveau netconsole=@/ all_generic_ide BOOTIF=01-00",
      { modules: { load: [], parameters: {}, blacklist: ["pcspkr", "nouveau"] } },
    ],
    ["root=LABEL=R boot=nfs", {}, ["boot=nfs is not used: root= names another root"]],
    ["root=LABEL=R overlayroot=tmpfs:swap=1,recurse=0", { overlay: TMPFS }],
    [
      "root=LABEL=R overlayroot=device:dev=sdb1,timeout=20,recurse=0",
      { overlay: changesOn(path("/dev/sdb1"), "/overlay") },
    ],
    ["root=LABEL=R overlayroot=LABEL=D", { overlay: changesOn(label("D"), null) }],
    ["root=LABEL=R overlayroot=disabled", { overlay: null }],
    [
      "root=LABEL=R overlayroot=crypt:dev=/dev/sdb,mapname=s,dir=/o",
      { overlay: changesOn(path("/dev/mapper/s"), "/o") },
    ],
  ],
  "Alpine's mkinitfs": [
    [
      "modules=loop,squashfs,sd-mod,usb-storage quiet rootfstype=ext4 root=UUID=ab",
      {
        root: block(uuid("ab")),
        rootTypes: ["ext4"],
        modules: { load: ["loop", "squashfs", "sd-mod", "usb-storage"], parameters: {}, blacklist: [] },
      },
    ],
    ["root=LABEL=R overlaytmpfs=yes", { overlay: TMPFS }],
    ["root=LABEL=R overlaytmpfs overlaytmpfsflags=mode=0755,size=64m,rw", { overlay: { kind: "tmpfs", size: "64m" } }],
    [
      "root=LABEL=R aoe=e0.0 nbd=10.0.0.1:10809",
      {},
      ["nbd= is not supported yet, ignoring it: the network is not set up"],
    ],
    ["root=/dev/sda3 modloop=none usbdelay=5 init_args=-x", { root: block(path("/dev/sda3")) }],
    ["cryptroot=/dev/sda2 cryptdm=root root=/dev/mapper/root", { root: block(path("/dev/mapper/root")) }],
  ],
  "kernel-command-line(7) of systemd": [
    ["root=LABEL=R systemd.volatile=overlay", { overlay: TMPFS }],
    [
      "root=LABEL=R systemd.volatile=state systemd.unit=rescue.target rd.systemd.show_status=1",
      {
        overlay: null,
        volatile: null,
        submounts: { usr: null, fstab: true, extra: [], tmpfs: [{ path: "/var", size: null }], unions: [] },
      },
    ],
    ["root=gpt-auto", { root: block({ by: "discoverable", esp: null, type: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709" }) }],
    [
      "root=LABEL=R mount.usr=LABEL=U usrflags=noatime fstab=no",
      {
        submounts: {
          usr: { device: { by: "label", value: "U" }, types: [], options: "ro,noatime" },
          fstab: false,
          extra: [],
          tmpfs: [],
          unions: [],
        },
      },
    ],
    [
      "root=LABEL=R mount.usrflags=subvol=usr mount.usrfstype=btrfs",
      {
        submounts: {
          usr: { device: null, types: ["btrfs"], options: "subvol=usr" },
          fstab: true,
          extra: [],
          tmpfs: [],
          unions: [],
        },
      },
    ],
    ["root=LABEL=R rw rd.overlay.size=9M systemd.volatile=yes", { volatile: { size: "9M" }, overlay: null }],
    ...["rd.systemd.unit=emergency.target", "rd.systemd.unit=rescue.target", "rd.emergency", "rd.rescue"].map(
      (word): Case => [
        `root=LABEL=R ${word}`,
        {
          rescue: {
            shell: true,
            breaks: ["root"],
            onFailure: "shell",
            panicSeconds: null,
            afterSeconds: null,
            log: null,
            hasHooks: true,
            helpUrl: null,
          },
        },
      ],
    ),
    ["root=LABEL=R fsck.mode=skip fsck.repair=yes", { rootCheck: "skip", rootRepair: "yes" }],
    ["root=LABEL=R fsckfix", { rootRepair: "yes" }],
    [
      "root=LABEL=R rd.systemd.mount-extra=/sysroot/opt:/sysroot/srv::bind systemd.mount-extra=LABEL=X:/x:ext4:ro,x-initrd.mount systemd.mount-extra=LABEL=Y:/y",
      {
        submounts: {
          usr: null,
          fstab: true,
          extra: [
            { source: "/opt", target: "/srv", type: "auto", options: "bind", isChecked: true },
            { source: "LABEL=X", target: "/x", type: "ext4", options: "ro,x-initrd.mount", isChecked: true },
          ],
          tmpfs: [],
          unions: [],
        },
      },
    ],
    [
      "root=LABEL=R rd.systemd.mount-extra=/dev/sdb1:/srv",
      {},
      ["rd.systemd.mount-extra= is not supported yet, ignoring it: only filesystems below /sysroot are mounted"],
    ],
    [
      "root=LABEL=R rd.systemd.unit=initrd.target",
      {},
      [
        "rd.systemd.unit= is not supported yet, ignoring it: the initramfs has no systemd; see rd.break= and rd.emergency=",
      ],
    ],
  ],
  booster: [
    ["root=UUID=ab rootfstype=ext4 rw booster.log=debug,console", { talk: { level: "debug", log: "all" } }],
    ["root=/dev/disk/by-partuuid/ab-01 quiet booster.log=error", { talk: { level: "quiet", log: "all" } }],
  ],
};

const REFUSED: readonly (readonly [string, readonly string[]])[] = [
  ["boot=live netboot=cifs", ["netboot=: an image on the network is not supported yet"]],
  [
    "boot=live live-media-offset=1024",
    ["live-media-offset=: a root that is no image file on the medium is not supported yet"],
  ],
  [
    "archisolabel=A verify=y",
    [
      "verify=: OpenPGP signatures are not supported; use cms_verify=y, rd.image.digest=sha256:HASH or a root hash (dm-verity) instead",
    ],
  ],
  ["archisobasedir=arch archiso_nbd_srv=10.0.0.1", ["archiso_nbd_srv=: an image on the network is not supported yet"]],
  ["archisolabel=A arch=i686", ["arch=: an image for another architecture is not supported yet"]],
  [
    "boot=live fromiso=/live/image.iso",
    ["fromiso=: an ISO file inside the initramfs is not supported yet; an ISO file on a device is /dev/…/PATH"],
  ],
  ["boot=casper netboot=url", ["netboot=: an image on the network is not supported yet"]],
  ["boot=casper todisk=/dev/sda1", ["todisk=: a root that is no image file on the medium is not supported yet"]],
  ...["live:torrent://x", "dhcp6"].map((root): [string, string[]] => [
    `root=${root}`,
    [`root=${root}: Expected a local device (a root on the network is not supported yet) but received "${root}"`],
  ]),
  [
    "modules=loop alpine_dev=usb:vfat modloop=/boot/modloop",
    ["alpine_dev", "modloop"].map(
      (name) => `${name}=: Alpine's diskless mode, a root that apk installs into memory, is not supported yet`,
    ),
  ],
];

for (const [source, cases] of Object.entries(KEPT)) {
  describe(source, () => {
    for (const [cmdline, expected, warnings = []] of cases) {
      test(cmdline, () => {
        const made = make(cmdline);
        expect(made.plan).toMatchObject(expected as Record<string, unknown>);
        expect(made.warnings).toEqual(warnings);
      });
    }
  });
}

describe("unsupported parameters that the boot depends on are refused", () => {
  for (const [cmdline, seen] of REFUSED) {
    test(cmdline, () => {
      const run = () => make(cmdline);
      expect(run).toThrow(BootError);
      expect(run).toThrow(expect.objectContaining({ seen }));
    });
  }
});

test("the same parameters have no meaning without their system", () => {
  const words = "fetch=x verify=y plainroot module=x live-media=removable archiso_http_srv=x modloop=x";
  const { plan, warnings } = make(`root=LABEL=R ${words}`);
  expect({ root: plan.root, image: plan.image, warnings }).toEqual({
    root: block(label("R")),
    image: null,
    warnings: [],
  });
});

describe("without root=", () => {
  const esp = "11111111-2222-4333-8444-55555555555e";
  const planOf = (cmdline: string, machine = "x86_64") =>
    makePlan({ cmdline, manifest: null, machine, findEsp: () => esp }).plan;
  const root = (type: string) => [{ by: "discoverable", esp, type }];

  test("the root is on the disk of the boot loader", () => {
    expect(rootDevices(planOf("quiet").root)).toEqual(
      root("4f68bce3-e8cd-4db1-96e7-fbcaf984b709") as readonly DeviceSpec[],
    );
    expect(rootDevices(planOf("", "aarch64").root)).toEqual(
      root("b921b045-1df0-41c3-af44-4c6f280d3fae") as readonly DeviceSpec[],
    );
    expect(planOf("").handover.mode).toBe("auto");
  });

  test.each(["root=/dev/ram0", "rd.handover=stay", "systemd.gpt_auto=0", "rd.systemd.gpt_auto=no"])(
    "but not with %s",
    (words) => {
      expect(rootDevices(planOf(words).root)).toEqual([]);
      expect(planOf(words).handover.mode).toBe("stay");
    },
  );

  test.each(["root=LABEL=R", "rootfallback=LABEL=R", "boot=live", "archisolabel=A"])("and not with %s", (words) => {
    expect(rootDevices(planOf(words).root).filter(({ by }) => by === "discoverable")).toEqual([]);
  });

  test("nor on a machine without such a type, or without a boot loader that names its partition", () => {
    expect(rootDevices(planOf("", "vax").root)).toEqual([]);
    expect(rootDevices(make("").plan.root)).toEqual([]);
  });
});

test("genkernel's init is the one of real_init=, never /linuxrc, and levain retry replaces real_root=", () => {
  const initOf = (cmdline: string) => make(cmdline).plan.handover.init;
  expect(initOf("real_root=LABEL=R init=/linuxrc")).toBeNull();
  expect(initOf("real_root=LABEL=R real_init=/lib/systemd/systemd init=/sbin/init")).toBe("/lib/systemd/systemd");
  expect(initOf("root=LABEL=R init=/linuxrc")).toBe("/linuxrc");
  const added = ["root=LABEL=OTHER"];
  const { plan } = makePlan({ cmdline: "root=/dev/ram0 real_root=LABEL=R", manifest: null, added });
  expect(plan.root).toEqual(block(label("OTHER")));
});
