/** What encrypted volumes need of the machine. */
export interface Encryption extends DeviceMapper, KernelKeys, KernelCiphers, KeyDerivation, LibraryHashes {}

/** One line of a device-mapper table. */
export interface MappingTarget {
  readonly startSector: number;
  /** Of 512 bytes. */
  readonly sectors: number;
  /** The target's name, as "crypt". */
  readonly type: string;
  /** Its parameters, as in a table. Bytes, for a key may be among them: the caller wipes them, and every copy of them is wiped here. */
  readonly parameters: Uint8Array;
}

/** A device-mapper device to make. */
export interface MappingRequest {
  /** Of /dev/mapper/NAME: at most 127 bytes, no slash. */
  readonly name: string;
  /** As "CRYPT-LUKS2-…": what dmsetup and cryptsetup know it by. */
  readonly uuid: string;
  readonly readOnly: boolean;
  readonly targets: readonly MappingTarget[];
}

/** A device-mapper device that is there. */
export interface Mapping {
  readonly name: string;
  readonly uuid: string;
  /** The kernel's name, as "dm-0". */
  readonly device: string;
}

/** The device mapper (linux/dm-ioctl.h). */
export interface DeviceMapper {
  /**
   * Makes a device, loads its table and resumes it; where one of these is refused nothing is left behind. /dev/mapper/NAME is a
   * link to its node, as udev makes it. EBUSY where the name or the uuid is taken.
   */
  createMapping(request: MappingRequest): Mapping;
  /** EBUSY while it is used; ENXIO where there is none. The link goes too. */
  removeMapping(name: string): void;
  listMappings(): readonly Mapping[];
  /** The version of a target, as [1, 24, 0]; null where the kernel does not have it (yet). */
  mappingTargetVersion(type: string): readonly [number, number, number] | null;
  /** What the first target of a device says of itself (DM_TABLE_STATUS), as "0 8160 -". */
  mappingStatus(name: string): string;
}

/** Keys that the kernel keeps, and lets nobody read. */
export interface KernelKeys {
  /** A key of type `logon` (`description` as "cryptsetup:…") in this thread's keyring; its id. */
  addLogonKey(description: string, payload: Uint8Array): number;
  /** Takes it out of the keyring: gone when its last user lets go. */
  removeKey(id: number): void;
}

/** Ciphers of the kernel's (AF_ALG, linux/if_alg.h). */
export interface KernelCiphers {
  /** Decrypts `data` in units of `unitBytes`, each with its own IV of `ivs`; `algorithm` as "xts(serpent)". A new array, which the caller wipes. ENOENT where the kernel does not have it (yet), EAFNOSUPPORT where it has no AF_ALG at all; EINVAL for a key or units that do not fit. */
  decryptByKernel(algorithm: string, key: Uint8Array, ivs: Uint8Array, data: Uint8Array, unitBytes: number): Uint8Array;
}

/** Argon2 version 1.3 (RFC 9106), as a key is derived by it. */
export interface Argon2Request {
  readonly type: "argon2i" | "argon2id";
  readonly passes: number;
  readonly memoryKib: number;
  readonly lanes: number;
  readonly salt: Uint8Array;
}

/** What takes more processors than the runtime's own threads may use. */
export interface KeyDerivation {
  /**
   * `length` bytes, each lane in a thread of its own; a new array, which the caller wipes. null where this machine has no way to
   * do it (no library, no threads). ENOMEM where the memory is not there, EINVAL for what RFC 9106 does not allow.
   */
  deriveArgon2(request: Argon2Request, passphrase: Uint8Array, length: number): Uint8Array | null;
}

/** A hash that somebody else's library makes. */
export interface LibraryHash {
  readonly digestBytes: number;
  /** What it takes at a time, as HMAC wants to know. */
  readonly blockBytes: number;
  /** Writes the digest of `message` into `digest`, which is as long as one. */
  readonly hash: (message: Uint8Array, digest: Uint8Array) => void;
}

/** Hashes that the runtime does not have. */
export interface LibraryHashes {
  /** By libcryptsetup's name in lower case: "whirlpool"; null for others, and where the library is not there. */
  findLibraryHash(name: string): LibraryHash | null;
}
