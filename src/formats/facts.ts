/** Content of a block device or image file, with libblkid's names and spelling for type, label and uuid. */
export interface Facts {
  /** TYPE: "ext4", "vfat", "squashfs", "crypto_LUKS", "swap", …; null if no type is known or the signatures disagree. */
  readonly type: string | null;
  /** LABEL, UTF-8; bytes that are not valid UTF-8 as `\xNN`. Not safe to print: anyone may have written it. */
  readonly label: string | null;
  readonly uuid: string | null;
  /** PTTYPE ("gpt", "dos", …) if there is a partition table. */
  readonly partitionTable: string | null;
  /** Types of filesystem signatures that contradict each other, then `type` is null; usually empty. */
  readonly ambivalent: readonly string[];
}

/** A source that can be read at any offset; at its end a read is short. A `RandomReader` is one, and a byte array in a test. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}
