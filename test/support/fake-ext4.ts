/** INCOMPAT_RECOVER, and where s_last_orphan lies. */
const EXT_RECOVER = 4;
const EXT_ORPHAN = 0xe8;

/**
 * What a mount of an ext4 with these bytes does to them (fs/ext4/super.c, orphan.c): null if nothing, "refused" if it has to write
 * and cannot, or the bytes that it writes. `noload` leaves the journal alone, but only a read-only device keeps the orphans.
 */
export function repairExt4(
  bytes: Uint8Array,
  { noload, readOnlyDevice }: { readonly noload: boolean; readonly readOnlyDevice: boolean },
): Uint8Array | "refused" | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const incompat = view.getUint32(1024 + 0x60, true);
  const needsReplay = (incompat & EXT_RECOVER) !== 0 && !noload;
  if (needsReplay && readOnlyDevice) return "refused";
  const hasOrphans = view.getUint32(1024 + EXT_ORPHAN, true) !== 0;
  if (!needsReplay && (!hasOrphans || readOnlyDevice)) return null;
  const repaired = new Uint8Array(bytes);
  const after = new DataView(repaired.buffer);
  if (needsReplay) after.setUint32(1024 + 0x60, incompat & ~EXT_RECOVER, true);
  after.setUint32(1024 + EXT_ORPHAN, 0, true);
  return repaired;
}

/** The head of an ext2, or of an ext4 by its incompatible features: struct ext2_super_block. */
export function writeExt(
  {
    label = "",
    uuid = "",
    isUnclean = false,
    sizeBytes = 16 << 10,
  }: { readonly label?: string; readonly uuid?: string; readonly isUnclean?: boolean; readonly sizeBytes?: number },
  incompat: number,
): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(1024 + 0x38, 0xef53, true);
  view.setUint32(1024 + 0x60, incompat | (isUnclean ? EXT_RECOVER : 0), true);
  view.setUint32(1024 + EXT_ORPHAN, isUnclean ? 12 : 0, true);
  bytes.set(Buffer.from(uuid.replaceAll("-", ""), "hex"), 1024 + 0x68);
  bytes.set(Buffer.from(label, "latin1"), 1024 + 0x78);
  return bytes;
}
