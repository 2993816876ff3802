import type { DeviceSpec } from "../device-spec.ts";

/** How a volume is unlocked. */
export interface CryptSettings {
  /** Where the detached LUKS header is; null: on the device itself. */
  readonly header: BytesPlace | null;
  /** Keys, tried in this order before a passphrase is asked for. */
  readonly keys: readonly BytesPlace[];
  /** Milliseconds to wait for a device with a key or a header before a passphrase is asked for; null: no limit. */
  readonly keyTimeoutMs: number | null;
  /** The only keyslot to try. */
  readonly keyslot: number | null;
  /** How often a passphrase is asked for; 0: no limit. */
  readonly tries: number;
  /** Milliseconds that a prompt waits for a passphrase; null: no limit. */
  readonly promptTimeoutMs: number | null;
  readonly isReadOnly: boolean;
  /** dm-crypt's optional parameters, such as "allow_discards". */
  readonly options: readonly string[];
  /** rd.luks.options=insecure-null. */
  readonly allowsNull: boolean;
  /** Milliseconds that the derivation of one key may take; 0: no limit; null: `AUTO_MAX_KDF_MS` for a volume that only rd.auto unlocks, no limit for others. */
  readonly maxKdfMs: number | null;
}

/** Where a key or a detached header is, and which bytes it has. */
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

/** dm-crypt without a header (cryptsetup's `open --type plain`). */
export interface PlainFormat {
  /** Hash of the passphrase, such as "ripemd160" or "sha256:32"; "plain": the passphrase itself is the key. Not used for key files. */
  readonly hash: string;
  /** Such as "aes-xts-plain64". */
  readonly cipher: string;
  readonly keyBits: number;
  /** Where the data begin on the device, in sectors of 512 bytes. */
  readonly offsetSectors: number;
  /** Added to the number of each sector for its IV, in sectors of 512 bytes. */
  readonly skipSectors: number;
  /** In sectors of 512 bytes; null: up to the end of the device. */
  readonly sizeSectors: number | null;
  /** The sector size of the encryption. */
  readonly sectorBytes: number;
  /** True without the option `plain`: a device with a LUKS header is unlocked as LUKS. */
  readonly unlessLuks: boolean;
}
