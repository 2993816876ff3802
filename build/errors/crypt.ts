import type { CRYPT } from "../../src/problems/diagnoses/crypt.ts";
import type { KEYS } from "../../src/problems/diagnoses/keys.ts";
import type { MAPPINGS } from "../../src/problems/diagnoses/mappings.ts";
import type { Examples } from "./example.ts";

const VOLUME = "/dev/sda3 crypto_LUKS (UUID 3e4e63f8-0b84-4c33-b3d4-1a5ed3c4b7ff)";
const KEY = "the key file /root.key on LABEL=KEYS";
const GIB = 2 ** 30;

export const CRYPT_EXAMPLES: Examples<typeof CRYPT> = {
  "volume-locked": [{ volume: VOLUME }],
  "encrypted-device-missing": [{ spec: "UUID=3e4e63f8-0b84-4c33-b3d4-1a5ed3c4b7ff" }],
  "header-missing": [{ place: "/root.header on LABEL=KEYS" }],
  "unlocking-is-off": [{ part: "root", name: "/dev/sda3" }],
  "passphrases-wrong": [{ count: 3 }],
  "passphrase-timeout": [{ seconds: 90 }],
  "prompt-cancelled": [{}],
  "derivation-cancelled": [{}],
  "derivation-device-gone": [{}],
  "derivation-too-long": [{ took: "40 s", limit: "30 s" }],
  "no-integrity-superblock": [{ node: "/dev/sda3", tagBytes: 28 }],
  "integrity-size-wrong": [{ node: "/dev/sda3", sectors: 1953525168 }],
  "place-unreadable": [{ place: KEY }],
  "no-filesystem-for-key": [{ place: KEY, node: "/dev/sdb1" }],
  "no-key-file": [{ path: "/root.key", node: "/dev/sdb1", isUnclean: false }],
  "key-too-large": [{ place: KEY }],
  "key-empty": [{ place: KEY }],
  "key-truncated": [{ place: KEY }],
  "key-too-short": [{ bytes: 16, keyBytes: 32 }],
  "data-beyond-device": [{ node: "/dev/sda3" }],
  "null-cipher": [{ cipher: "cipher_null-ecb" }],
  "no-console-for-passphrase": [{ volume: VOLUME }],
};

export const KEY_EXAMPLES: Examples<typeof KEYS> = {
  "luks-requirement": [{ requirements: ["online-reencrypt-v2"] }, { requirements: ["opal"] }],
  "no-usable-keyslot": [{ lacksMemory: true }],
  "keyslots-too-costly": [{}],
  "data-type-unsupported": [{ type: "hw-opal" }],
  "data-not-encrypted": [{ cipher: "cipher_null-ecb" }],
  "no-volume-key": [{}],
  "data-partial-sector": [{ sectorBytes: 4096 }],
  "data-in-segments": [{ count: 2 }],
  "data-under-header": [{}],
  "header-without-data": [{}],
  "segment-beyond-device": [{}],
  "integrity-unsupported": [{ integrity: "hmac(md5)", cipher: "aes-cbc-essiv:sha256" }],
  "hash-unsupported": [{ hash: "gost" }],
  "plain-hash-too-long": [{ hash: "sha512", keyBytes: 32 }],
  "key-material-too-short": [{}],
  "kdf-unsupported": [{ kdf: "scrypt" }],
  "kdf-needs-memory": [{ kdf: "argon2id", neededBytes: GIB, availableBytes: 0.3 * GIB, totalBytes: 0.5 * GIB }],
  "kdf-process-ended": [{ status: 1 }],
  "kdf-process-killed": [{ kdf: "argon2id", neededBytes: GIB }],
};

export const MAPPING_EXAMPLES: Examples<typeof MAPPINGS> = {
  "no-mapping-target": [{ module: "dm-crypt" }],
  "mapping-refused": [
    {
      name: "root",
      errno: "ENOENT",
      refusal: "",
      kernelLog: ["device-mapper: table: 254:0: crypt: Error allocating crypto tfm (-ENOENT)"],
    },
    { name: "root", errno: "EBUSY", refusal: "", kernelLog: [] },
  ],
  "mapping-name-taken": [{ name: "root", device: "/dev/sdb2" }],
  "bcache-refused": [{ node: "/dev/sda", why: "the kernel refused it" }],
  "integrity-refused": [{ name: "safe", node: "/dev/sdb1", why: "it has no dm-integrity superblock" }],
  "integrity-device-missing": [{ name: "safe", spec: "PARTLABEL=safe" }],
  "group-refused": [{ group: "vg0", why: "it is exported" }],
  "group-absent": [
    { group: "vg0", groups: [] },
    { group: "vg0", groups: ["fedora", "data"] },
  ],
  "group-elsewhere": [{ nodes: ["/dev/sda2"] }],
  "volume-unknown": [{ group: "vg0", volume: "rot", volumes: ["root", "swap"] }],
  "thin-pool-damaged": [
    { pool: "vg0/pool", program: "/usr/sbin/thin_check", status: 1, said: "bad checksum in superblock" },
  ],
  "thin-pool-unchecked": [{ pool: "vg0/pool", program: "/usr/sbin/thin_check", seconds: 180 }],
  "volume-refused": [{ volume: "vg0/root", why: "VDO is not supported" }],
};
