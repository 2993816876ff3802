/**
 * Types that hold no files of their own: a device below another one, which levain cannot set up. By TYPE as libblkid spells it,
 * the name that a person knows. Firmware RAID has a type for each maker, NAME_raid_member.
 */
const LAYERS: Readonly<Record<string, string>> = {
  LVM1_member: "LVM 1",
  DM_snapshot_cow: "a device-mapper snapshot",
  mpath_member: "multipath",
  zfs_member: "ZFS",
  drbd: "DRBD",
  drbdmanage_control_volume: "DRBD",
  drbdproxy_datalog: "DRBD",
  BitLocker: "BitLocker",
  cs_fvault2: "FileVault",
  vdo: "VDO",
  stratis: "Stratis",
  ceph_bluestore: "Ceph",
  VMFS: "VMFS",
  VMFS_volume_member: "VMFS",
  ubi: "UBI",
};

const LINUX_RAID = "linux_raid_member";

/** The firmware RAIDs that mdadm starts: their names. */
export const FIRMWARE_RAID: Readonly<Record<string, string>> = {
  isw_raid_member: "an array of Intel's firmware (IMSM)",
  ddf_raid_member: "an array of a controller (DDF)",
};

/** Types that are no filesystem, but nothing to set up either: what they are, as a noun. */
const OTHERS: Readonly<Record<string, string>> = {
  crypto_LUKS: "an encrypted volume",
  [LINUX_RAID]: "a member of an array (Linux RAID)",
  isw_raid_member: "a member of an array of Intel's firmware (IMSM)",
  ddf_raid_member: "a member of an array of a controller (DDF)",
  LVM2_member: "a physical volume of LVM",
  bcache: "a part of bcache",
  DM_integrity: "a device with checksums (dm-integrity)",
  DM_verity_hash: "the hash tree of a verified device",
  swap: "swap space",
  swsuspend: "swap space with a hibernated system",
  jbd: "the journal of another ext4",
  xfs_external_log: "the log of another XFS",
};

const lookUp = (table: Readonly<Record<string, string>>, type: string) =>
  Object.hasOwn(table, type) ? (table[type] ?? null) : null;

/** Returns the name of the layer that a device of this type belongs to and that levain does not support yet; null for any other type. */
export function unsupportedLayer(type: string | null): string | null {
  if (type === null) return null;
  if (type === LINUX_RAID || Object.hasOwn(FIRMWARE_RAID, type)) return null;
  return lookUp(LAYERS, type) ?? (type.endsWith("_raid_member") ? "firmware RAID" : null);
}

/** Says what a device of this type is if it can hold no files; null for a filesystem. */
export function describeNoFilesystem(type: string): string | null {
  const layer = unsupportedLayer(type);
  return layer === null ? lookUp(OTHERS, type) : `a part of ${layer}`;
}
