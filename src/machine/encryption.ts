/** The part of the machine for encrypted volumes. */
export interface Encryption extends DeviceMapper, KernelKeys, KernelCiphers, KeyDerivation, LibraryHashes {}

/** One line of a device-mapper table. */
export interface MappingTarget {
  readonly startSector: number;
  /** Sectors of 512 bytes. */
  readonly sectors: number;
  /** The target's name, as "crypt". */
  readonly type: string;
  /** Its parameters, as in a table. Bytes, because they may contain a key: the caller wipes them, and every copy is wiped here. */
  readonly parameters: Uint8Array;
}

/** A device-mapper device to create. */
export interface MappingRequest {
  /** NAME of /dev/mapper/NAME: at most 127 bytes, no slash. */
  readonly name: string;
  /** As "CRYPT-LUKS2-…", by which dmsetup and cryptsetup recognise it. */
  readonly uuid: string;
  readonly readOnly: boolean;
  readonly targets: readonly MappingTarget[];
}

/** An existing device-mapper device. */
export interface Mapping {
  readonly name: string;
  readonly uuid: string;
  /** The kernel's name, as "dm-0". */
  readonly device: string;
}

/** The device mapper (linux/dm-ioctl.h). */
export interface DeviceMapper {
  /**
   * Creates a device, loads its table and resumes it; if one of these is refused, nothing is left behind. /dev/mapper/NAME is a
   * link to its node, as udev makes it. EBUSY if the name or the uuid is taken.
   */
  createMapping(request: MappingRequest): Mapping;
  /** Removes a device and its link. EBUSY while it is in use; ENXIO if there is none. */
  removeMapping(name: string): void;
  listMappings(): readonly Mapping[];
  /** Returns the version of a target, as [1, 24, 0]; null if the kernel does not have it (yet). */
  mappingTargetVersion(type: string): readonly [number, number, number] | null;
  /** Returns the status of the first target of a device (DM_TABLE_STATUS), as "0 8160 -". */
  mappingStatus(name: string): string;
}

/** Keys in the kernel, which no process can read back. */
export interface KernelKeys {
  /** Adds a key of type `logon` (`description` as "cryptsetup:…") to this thread's keyring; returns its id. */
  addLogonKey(description: string, payload: Uint8Array): number;
  /** Adds a key of type `user`, which is no secret, in the same way. */
  addUserKey(description: string, payload: Uint8Array): number;
  /** Removes it from the keyring: it is destroyed when its last user releases it. */
  removeKey(id: number): void;
}

/** Ciphers of the kernel (AF_ALG, linux/if_alg.h). */
export interface KernelCiphers {
  /** Decrypts `data` in units of `unitBytes`, each with its own IV of `ivs`; `algorithm` as "xts(serpent)". Returns a new array, which the caller wipes. ENOENT if the kernel does not have the algorithm (yet), EAFNOSUPPORT if it has no AF_ALG; EINVAL for a key or units of the wrong size. */
  decryptByKernel(algorithm: string, key: Uint8Array, ivs: Uint8Array, data: Uint8Array, unitBytes: number): Uint8Array;
}

/** The parameters of Argon2 version 1.3 (RFC 9106). */
export interface Argon2Request {
  readonly type: "argon2i" | "argon2id";
  readonly passes: number;
  readonly memoryKib: number;
  readonly lanes: number;
  readonly salt: Uint8Array;
}

/** Key derivation in threads, which the runtime does not offer. */
export interface KeyDerivation {
  /**
   * Derives `length` bytes, each lane in its own thread; returns a new array, which the caller wipes. null if this machine cannot
   * do it (no library, no threads). ENOMEM without enough memory, EINVAL for parameters that RFC 9106 does not allow.
   */
  deriveArgon2(request: Argon2Request, passphrase: Uint8Array, length: number): Uint8Array | null;
}

/** A hash function of another library. */
export interface LibraryHash {
  readonly digestBytes: number;
  /** The block size, for HMAC. */
  readonly blockBytes: number;
  readonly hash: (message: Uint8Array, digest: Uint8Array) => void;
}

/** Hashes that the runtime does not have. */
export interface LibraryHashes {
  /** Returns a hash by libcryptsetup's name in lower case: "whirlpool", "blake2s-256"; null for others, or if the library is missing. */
  findLibraryHash(name: string): LibraryHash | null;
}
