import { describe, expect, test } from "bun:test";
import { findParameters } from "../../../src/parameters/parameters.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { BootError } from "../../../src/problems/errors.ts";

/*
 * Every parameter in the documentation of other projects, and what levain does with it: obeyed, named (a warning or a
 * refusal), or without a meaning, with the reason. dialects.test.ts has the meaning of those that are obeyed.
 */

interface Documented {
  /** The parameters in front of each. */
  readonly context: string;
  readonly obeyed: string;
  readonly named: string;
  readonly nothing: Readonly<Record<string, string>>;
}

const HASH = "ab".repeat(32);
const THE_KERNELS = "the kernel obeys it";
const THE_INITS = "the real init obeys it";
const NETWORK = "details of the network, which other parameters ask for";
const S390 = "devices of S/390, which levain does not support";

const SOURCES: Readonly<Record<string, Documented>> = {
  "dracut.cmdline(7) of dracut 059": {
    context: "root=LABEL=R",
    obeyed: `root=LABEL=x root=virtiofs:x root=live:http://x/y root=cifs://x/y root=nfs:x:/y root=nfs4:x:/y root=/dev/nfs root=dhcp init=/x rootfstype=ext4 rootflags=ro ro rw rootfallback=LABEL=x rd.auto rd.lvm=0 rd.lvm.vg=x rd.lvm.lv=x/y rd.multipath=0 rd.multipath=default rd.retry=1 rd.timeout=1 resume=/dev/x rd.emergency=reboot
      rd.driver.blacklist=a rd.driver.pre=a rd.driver.post=a rd.skipfsck rd.shell rd.debug rd.break rd.break=pre-mount rd.vconsole.keymap=de
      rd.luks=0 rd.luks.uuid=abcd rd.luks.allow-discards rd.luks.crypttab=0 rd.luks.timeout=1 rd.luks.key=/k rd.luks.key.tout=1
      rd.luks.partuuid=abcd rd.live.dir=x rd.live.squashimg=x rd.live.ram=1 rd.live.overlay=none rd.live.overlay=LABEL=x rd.live.overlay.size=1
      rd.live.overlay.readonly=0 rd.live.overlay.reset=0 rd.live.overlay.overlayfs=1 rd.live.image rd.live.check iso-scan/filename=/x ip=dhcp rd.neednet=1 ifname=x:52:54:00:12:34:56 rd.route=198.51.100.0/24:192.0.2.1 rd.bootif=0 rd.peerdns=0 rd.net.timeout.dhcp=1
      root=nbd:x:1 netroot=nbd:x:1 nameserver=192.0.2.1 vlan=vlan5:eth0 bond=bond0 bridge=br0:eth0 BOOTIF=52:54:00:12:34:56 roothash=${HASH} rd.fstab=0 mount.usr=LABEL=x`,
    named: `rd.dm.uuid=x rd.luks.serial=x root=cifs:x root=iscsi:x
       root=x:/y netroot=iscsi:x nfsroot=x:/y rd.iscsi.initiator=x rd.iscsi.firmware=1
       rd.nvmf.discover=fc,auto fcoe=eth0:dcb`,
    nothing: {
      "rd.lvm.conf=0 rd.md.imsm=0 rd.md.ddf=0 rd.md.conf=0 rd.md.waitclean=1 rd.dm=0 rd.fcoe=0 rd.nonvmf":
        "levain does none of it",
      "rd.hostonly=0 rd.zipl=x rd.ccw": "the image has no settings of a host",
      "rd.live.debug=1 rd.info rd.memdebug=1 rd.udev.info rd.udev.debug rd.noverifyssl rd.plymouth=0": "messages",
      "rd.live.overlay.thin=1 rd.live.overlay.cowfs=btrfs rd.writable.fsimg=1":
        "the overlay is overlayfs, on a filesystem that exists, and the system is writable",
      "rd.cmdline=ask": "levain retry takes parameters",
      "rd.ctty=/dev/tty1": "the shell is where the console is",
      "rd.shutdown.timeout.umount=1": "levain keeps nothing for the shutdown",
      "rd.vconsole.keymap.ext=x rd.vconsole.unicode rd.vconsole.font=x rd.vconsole.font.map=x rd.vconsole.font.unimap=x":
        "fonts are left to the system, keymaps are complete",
      "rd.locale.LANG=C rd.locale.LC_ALL=C": "levain speaks one language",
      "rd.fips rd.fips.skipkernel": "checks are left to the builder",
      "rd.net.dhcp.retry=1 rd.net.timeout.carrier=1 bootdev=x team=x biosdevname=0": NETWORK,
      "rd.dasd=x rd.zfcp=x rd.zfcp.conf=0 rd.znet=x rd.znet_ifname=x rd.cio_accept=x": S390,
    },
  },
  "live-boot(7) 20230131": {
    context: "boot=live",
    obeyed: `boot=live debug=1 findiso=/x fromiso=/dev/sda1/x isofrom=/dev/sda1/x live-media=/dev/sda1 live-media=removable bootfrom=/dev/sda1
      fetch=http://1.2.3.4/x httpfs=http://1.2.3.4/x live-media-path=x live-media-timeout=1 module=x overlay-size=1m toram ignore_uuid verify-checksums
      persistence nopersistence persistence-encryption=luks persistence-encryption=none,luks persistence-media=removable persistence-media=removable-usb
      persistence-path=x persistence-read-only persistence-storage=file persistence-storage=filesystem,file persistence-label=x,y persistence-subtext=x
      dm-verity-root-hash=x:${HASH} dm-verity-oncorruption=panic dm-verity-enforce-roothash-signature`,
    named: "iscsi=x netboot=cifs fromiso=/x live-media-offset=1 todisk=/dev/x",
    nothing: {
      "access=v1 console=ttyS0 silent noeject nofastboot swap=true": "only the system on the medium may obey it",
      "forcefsck_persistence persistence-method=overlay":
        "a volume is checked if it asks for that, and overlayfs is the only method",
      "ramdisk-size=1": "a copy gets the memory that it needs",
      "showmounts union=overlay": "the layers are below /run/levain, and overlayfs stacks them",
    },
  },
  "casper(7) of Ubuntu 24.04": {
    context: "boot=casper",
    obeyed: `boot=casper url=http://1.2.3.4/x.iso iso-url=http://1.2.3.4/x.iso BOOT=casper layerfs-path=a.squashfs live-media=/dev/sda1 live-media=removable live-media-path=x live-media-timeout=1 uuid=ab
      ignore_uuid persistent nopersistent persistent-path=x toram iso-scan/filename=/x fsck.mode=skip`,
    named: "netboot=url live-media-offset=1 todisk=/dev/x nfsroot=x:/y",
    nothing: {
      "casper-getty xdebconf hostname=x userfullname=x username=x locale=de_DE keyb=de console-setup/layoutcode=de koptions=x debian-installer/locale=de":
        "casper-bottom's scripts obey it, which levain does not run",
      "noprompt silent maybe-ubiquity only-ubiquity automatic-ubiquity autoinstall": THE_INITS,
      "showmounts show-cow": "the layers are below /run/levain",
    },
  },
  "README.bootparams of archiso": {
    context: "archisobasedir=arch",
    obeyed: `archiso_http_srv=http://x/ archisolabel=A archisodevice=/dev/sr0 archisobasedir=arch archisosearchuuid=2025-01-01 archisosearchfilename=/x copytoram=y copytoram=auto
      cow_spacesize=1G cow_label=A cow_device=/dev/x cow_directory=x cow_flags=noatime img_label=A img_dev=/dev/sda1 img_flags=noatime img_loop=/x checksum checksum=y cms_verify=y`,
    named: "verify=y arch=i686 archiso_nbd_srv=x",
    nothing: {
      "cow_persistent=P cow_chunksize=8 dm_snap_prefix=x":
        "they are for a snapshot of device mapper: levain uses overlayfs",
      "copytoram_size=75%": "a copy gets the memory that it needs",
      "arch=x86_64": "it is the architecture of this machine",
      "copy_resolvconf=n archiso_nbd_name=x archiso_http_spc=x archiso_nfs_opt=x": NETWORK,
      "mirror=x script=x": THE_INITS,
    },
  },
  "mkinitcpio(8)": {
    context: "root=LABEL=R",
    obeyed:
      "root=LABEL=x rootdelay=1 rootwait rootflags=ro rootfstype=ext4 ro rw init=/x break=premount break=postmount earlymodules=a rd.debug rd.log=all quiet fsck.mode=skip mount.usr=LABEL=x resume=/dev/x resume_offset=1 noresume",
    named: "nfsroot=x",
    nothing: {
      "disablehooks=x": "there are no hooks",
      "md=0,/dev/x": THE_KERNELS,
    },
  },
  "initramfs-tools(7) 0.142": {
    context: "root=LABEL=R",
    obeyed: `init=/x root=LABEL=x rootfstype=ext4 rootdelay=1 rootflags=ro boot=local quiet ro rw blacklist=a panic=5 debug debug=vc break break=top break=mountroot
      fsck.mode=force fastboot forcefsck fsck.repair=yes fsckfix cryptopts=source=/dev/sda2 ip=dhcp BOOTIF=01-52-54-00-12-34-56
      root=/dev/nfs resume=/dev/x resume_offset=1 noresume`,
    named: "nfsroot=auto boot=nfs",
    nothing: {
      "initramfs.clear initramfs.runsize=10%": "the console is not cleared, /run has its usual size",
      "netconsole=x": NETWORK,
      all_generic_ide: "drivers are loaded automatically",
    },
  },
  "mkinitfs-bootparam(7) of Alpine": {
    context: "root=LABEL=R",
    obeyed: `blacklist=a cryptdiscards cryptdm=x cryptheader=/dev/x cryptkey=/k cryptroot=/dev/sda2 init=/x init_args=-x modules=a overlaytmpfs overlaytmpfsflags=size=1M
      quiet root=LABEL=x root=nfs:x:/y rootflags=ro rootfstype=ext4 single usrflags=ro resume=/dev/x resume_offset=1`,
    named: "nbd=x:1 cryptoffset=8 wireguard=x",
    nothing: {
      "aoe_iflist=eth0 aoe_mtu=1500": NETWORK,
      "chart debug_init splash uevent_buf_size=1 usbdelay=1 zfs_force=1":
        "the root does not depend on it; levain waits for devices",
      "dasd zfcp=x s390x_net=x": S390,
      "autodetect_serial=no ds=x nokeep_apk_new pkgs=x ssh_key=x":
        "part of the diskless mode: alpine_repo= and the like are refused",
    },
  },
  "kernel-command-line(7) and systemd-gpt-auto-generator(8), bootup(7) of systemd 252": {
    context: "root=LABEL=R",
    obeyed: `root=gpt-auto resume=/dev/x resume_offset=1 noresume rootflags=ro rootfstype=ext4 ro rw init=/x quiet debug systemd.volatile=overlay systemd.volatile=yes systemd.volatile=state systemd.volatile=no systemd.gpt_auto=0 rd.systemd.gpt_auto=0 fsck.mode=skip fsck.repair=preen
      modules_load=a rd.modules_load=a module_blacklist=a rd.emergency rd.rescue rd.systemd.unit=emergency.target vconsole.keymap=de rd.vconsole.keymap=de
      luks=0 rd.luks=0 luks.crypttab=0 rd.luks.crypttab=0 luks.name=abcd=x rd.luks.name=abcd=x luks.uuid=abcd rd.luks.uuid=abcd luks.options=tries=1
      rd.luks.options=tries=1 luks.key=/k rd.luks.key=/k rd.luks.data=abcd=/dev/x roothash=${HASH} usrhash=${HASH} systemd.verity_root_data=/dev/x systemd.verity_root_hash=/dev/x mount.usr=LABEL=x mount.usrfstype=ext4 mount.usrflags=ro rd.fstab=0 fstab=0`,
    named: `rd.systemd.unit=initrd.target
      rd.systemd.mount-extra=/dev/x:/y`,
    nothing: {
      "systemd.unit=rescue.target systemd.mask=x systemd.wants=x systemd.debug_shell systemd.crash_reboot systemd.machine_id=x systemd.mount-extra=x:y":
        THE_INITS,
      "emergency rescue s S 1 5 -b": THE_INITS,
      "systemd.verity=1 rd.systemd.verity=0": "details of what other parameters ask for",
      "rd.systemd.mask=x rd.systemd.wants=x rd.systemd.debug_shell rd.udev.log_level=debug udev.log_level=debug":
        "there is no systemd or udev before the root",
      "quotacheck.mode=skip plymouth.enable=0 net.ifnames=0 vconsole.font=x rd.vconsole.font=x":
        "the root does not depend on it",
    },
  },
};

const split = (text: string) => text.split(/\s+/).filter((word) => word !== "");
const nameOf = (word: string) => word.split("=", 1)[0] ?? "";

/** The messages about the parameter itself. */
function hear(context: string, word: string): readonly string[] {
  const isAbout = (text: string) => text.startsWith(nameOf(word));
  try {
    return makePlan({ cmdline: `${context} ${word}`, manifest: null }).warnings.filter(isAbout);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return error.seen.filter(isAbout);
  }
}

for (const [source, { context, obeyed, named, nothing }] of Object.entries(SOURCES)) {
  describe(source, () => {
    test.each(split(obeyed))("%s is obeyed", (word) => {
      expect(findParameters(nameOf(word)).length).toBeGreaterThan(0);
      expect(hear(context, word).filter((text) => /^(?!rd\.auto).*not supported|Expected/.test(text))).toEqual([]);
    });
    test.each(split(named))("%s is named", (word) => expect(hear(context, word)).toHaveLength(1));
    for (const [words, reason] of Object.entries(nothing)) {
      test.each(split(words))(`%s: ${reason}`, (word) => {
        expect(findParameters(nameOf(word)).filter(({ alias }) => alias === null)).toEqual([]);
        expect(hear(context, word)).toEqual([]);
      });
    }
  });
}
