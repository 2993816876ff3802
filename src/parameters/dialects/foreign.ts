import { normaliseName } from "../cmdline.ts";

/*
 * Parameters of other programs' documentation that have no meaning for levain (test/unit/parameters/documented-parameters.test.ts
 * has the reasons): no misspellings of levain's. A name that ends in a dot is a prefix. The first line comes from boot loaders.
 */
const NAMES = `
  BOOT_IMAGE kexec
  rd.info rd.memdebug rd.udev. rd.live.debug rd.noverifyssl rd.plymouth rd.live.overlay.thin rd.live.overlay.cowfs rd.live.cowfile.
  rd.writable. rd.cmdline rd.ctty rd.shutdown. rd.vconsole. rd.locale. rd.fips rd.fips. rd.net.
  rd.dasd rd.zfcp rd.zfcp. rd.znet rd.znet_ifname rd.cio_accept rd.zipl rd.ccw rd.lvm. rd.md. rd.dm rd.dm.
  rd.systemd. rd.earlykdump rd.kiwi. rd.nfs. rd.usrmount. rd.hostonly rd.fcoe rd.nonvmf rd.qubes.
  bootdev team biosdevname netconsole copy_resolvconf archiso_nbd_name
  archiso_http_spc archiso_nfs_opt aoe_iflist aoe_mtu s390x_net dasd zfcp md
  access console silent noeject nofastboot swap forcefsck_persistence persistence-method ramdisk-size showmounts union
  components nocomponents username hostname locales timezone keyboard-layouts
  cow_persistent cow_chunksize dm_snap_prefix copytoram_size mirror script disablehooks arch
  initramfs.clear initramfs.runsize all_generic_ide
  chart debug_init splash nosplash uevent_buf_size usbdelay zfs_force autodetect_serial ds nokeep_apk_new pkgs ssh_key
  dolvm domdadm dodmraid domultipath dozfs lvmraid scandelay firstmods keymap locale crypt_silent quiet_genkernel partitionable
  gk. debug1 debug1devices debug1mounts boot. stage1panic
  systemd. udev. quotacheck. plymouth. net. vconsole.font vconsole.font_map vconsole.font_unimap
  emergency rescue single recovery text auto
`;

let names: readonly string[] | null = null;

/** True for a parameter that is another program's. The table is made at the first call, because most boots do not need it. */
export function isForeign(name: string): boolean {
  names ??= NAMES.trim().split(/\s+/).map(normaliseName);
  const given = normaliseName(name);
  return names.some((one) => (one.endsWith(".") ? given.startsWith(one) : given === one));
}
