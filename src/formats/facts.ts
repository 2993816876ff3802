/** What a block device or image file holds, with libblkid's names and spelling for type, label and uuid. */
export interface Facts {
  /** TYPE: "ext4", "vfat", "squashfs", "crypto_LUKS", "swap", …; null where nothing is known or the signatures disagree. */
  readonly type: string | null;
  /** LABEL, UTF-8; bytes that are not valid UTF-8 as `\xNN`. Not safe to print: it is whatever somebody wrote there. */
  readonly label: string | null;
  readonly uuid: string | null;
  /** PTTYPE ("gpt", "dos", …) where a partition table is there. */
  readonly partitionTable: string | null;
}

/** Something that can be read at any place; at the end a read is short. A `RandomReader` is one, so is a byte array in a test. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}
