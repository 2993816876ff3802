import type { DeviceSpec } from "../device-spec.ts";

/** How a volume is to be unlocked. */
export interface CryptSettings {
  /** Where a detached LUKS header lies; null: on the device itself. */
  readonly header: BytesPlace | null;
  /** Key files, tried in this order; then a person is asked. */
  readonly keys: readonly BytesPlace[];
  /** Milliseconds to wait for a device with a key or a header before a person is asked; null: for ever. */
  readonly keyTimeoutMs: number | null;
  /** The only keyslot to try. */
  readonly keyslot: number | null;
  /** How often a person is asked; 0: for ever. */
  readonly tries: number;
  /** Milliseconds that an open prompt waits for an answer; null: for ever. */
  readonly promptTimeoutMs: number | null;
  readonly isReadOnly: boolean;
  /** dm-crypt's optional words that were asked for, as "allow_discards". */
  readonly options: readonly string[];
  /** rd.luks.options=insecure-null. */
  readonly allowsNull: boolean;
  /** Milliseconds that deriving one key may take; 0: any time; null: as `AUTO_MAX_KDF_MS` says for a volume that only rd.auto means, any time for others. */
  readonly maxKdfMs: number | null;
}

/** Where a key or a detached header lies, and which bytes of it are meant. */
export interface BytesPlace {
  /** image: a file of the initramfs; filesystem: a file on the filesystem of `device`; device: its own bytes. */
  readonly in: "image" | "filesystem" | "device";
  /** null only for an image. */
  readonly device: DeviceSpec | null;
  /** Empty only for a device. */
  readonly path: string;
  /** The filesystem's type; null: as probed. */
  readonly type: string | null;
  /** Bytes. */
  readonly offset: number;
  /** Bytes; null: up to the end. */
  readonly size: number | null;
}

/** dm-crypt without any header: everything is convention (cryptsetup's `open --type plain`). */
export interface PlainFormat {
  /** Of the passphrase, as "ripemd160" or "sha256:32"; "plain": it is the key as it stands. Not used for key files. */
  readonly hash: string;
  /** As "aes-xts-plain64". */
  readonly cipher: string;
  readonly keyBits: number;
  /** Where the data begin on the device, in sectors of 512 bytes. */
  readonly offsetSectors: number;
  /** Added to each sector's number for its IV, in sectors of 512 bytes. */
  readonly skipSectors: number;
  /** Of 512 bytes; null: up to the end of the device. */
  readonly sizeSectors: number | null;
  /** Bytes that are encrypted at once. */
  readonly sectorBytes: number;
  /** True where nobody said `plain`: a device that holds LUKS is opened as that. */
  readonly unlessLuks: boolean;
}
