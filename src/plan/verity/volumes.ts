import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { NamedHash, VerityOptions } from "../../parameters/verity.ts";

/** A block device that dm-verity verifies. */
export interface VerityVolume {
  /** Of /dev/mapper/NAME. */
  readonly name: "root" | "usr";
  /** Hexadecimal digits, in lower case. */
  readonly rootHash: string;
  /** The devices that may hold the data, in the order to try. */
  readonly data: readonly DeviceSpec[];
  /** The device with the hash tree, which may be that of the data; null: any device that has it. */
  readonly hash: DeviceSpec | null;
  readonly options: VerityOptions;
  readonly needsSignature: boolean;
}

/** Image files that dm-verity verifies. */
export interface VerityImages {
  /** The root hash of the only image; null: the hashes have names. */
  readonly rootHash: string | null;
  readonly named: readonly NamedHash[];
  /** The file on the medium with the hash tree; null: the image itself with hash-offset=, else FILE.verity. */
  readonly hashFile: string | null;
  readonly options: VerityOptions;
  readonly needsSignature: boolean;
  /** True if a FILE.verity beside an image is used without a parameter, with the hash in FILE.roothash (live-boot). */
  readonly isBySidecar: boolean;
}

/** What dm-verity verifies. */
export interface VerityPlan {
  readonly root: VerityVolume | null;
  readonly usr: VerityVolume | null;
  readonly images: VerityImages | null;
}
