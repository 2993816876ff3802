import { isUuid } from "../formats/bytes.ts";
import { isAlgorithm, MOST_SALT_BYTES } from "../formats/verity/superblock.ts";
import { isDeviceText, parseSpelledDevice } from "./crypt/text.ts";
import type { DeviceSpec } from "./device-spec.ts";
import { Expected, normalisePath, parser, parseWhole } from "./parse.ts";
import { readFlag } from "./values.ts";

/** Where a hash tree or error correction is: a block device, or a file on the medium of an image. */
export type VerityPlace =
  | { readonly kind: "device"; readonly device: DeviceSpec }
  | { readonly kind: "file"; readonly path: string };

/** The options of a dm-verity volume, as in veritytab(5). */
export interface VerityOptions {
  /** superblock=: false if the parameters here take its place. */
  readonly hasSuperblock: boolean;
  readonly hashType: 0 | 1;
  /** Bytes. */
  readonly dataBlock: number;
  /** Bytes. */
  readonly hashBlock: number;
  /** null: as many as the data device has. */
  readonly dataBlocks: number | null;
  readonly algorithm: string;
  /** Hexadecimal digits. */
  readonly salt: string;
  /** Where the superblock or the tree begins, in bytes; null: at the beginning of the hash device. */
  readonly hashOffset: number | null;
  /** What the kernel does with a block that does not match: refuses the read, or … */
  readonly onCorruption: "error" | "ignore" | "restart" | "panic";
  /** The other options of the kernel's target, such as "check_at_most_once". */
  readonly flags: readonly string[];
  readonly fec: VerityPlace | null;
  /** Bytes. */
  readonly fecOffset: number;
  /** Parity bytes of 255. */
  readonly fecRoots: number;
  /** The signature of the root hash (PKCS #7, DER): a file of the image, or the bytes in base64. */
  readonly signature: { readonly path: string } | { readonly base64: string } | null;
}

/** The options of veritysetup. */
export const DEFAULT_VERITY: VerityOptions = {
  hasSuperblock: true,
  hashType: 1,
  dataBlock: 4096,
  hashBlock: 4096,
  dataBlocks: null,
  algorithm: "sha256",
  salt: "",
  hashOffset: null,
  onCorruption: "error",
  flags: [],
  fec: null,
  fecOffset: 0,
  fecRoots: 2,
  signature: null,
};

/** Half of it is a UUID of the Discoverable Partitions Specification, and the kernel's hashes have no less. */
const LEAST_HASH_DIGITS = 32;
const MOST_HASH_DIGITS = 128;

/** A root hash in hexadecimal digits, in lower case. */
export const rootHash = parser("a root hash: 32 to 128 hexadecimal digits", (text) => {
  const isHash =
    /^(?:[0-9a-f]{2})+$/i.test(text) && text.length >= LEAST_HASH_DIGITS && text.length <= MOST_HASH_DIGITS;
  return isHash ? text.toLowerCase() : null;
});

/** The root hash of an image by its file name. */
export interface NamedHash {
  readonly name: string;
  readonly hash: string;
}

/** NAME:HASH, several separated by commas. */
export const namedHashes = (text: string): readonly NamedHash[] =>
  text.split(",").map((part) => {
    const [, name = "", hash = ""] = /^([^:/]+):(.*)$/s.exec(part) ?? [];
    if (name === "") throw new Expected("NAME:HASH, the name of an image file and its root hash");
    return { name, hash: rootHash(hash) };
  });

/** A device if it looks like one, else the path of a file on the medium. */
export const verityPlace = parser(
  'a device, or the path of a file on the medium, without ".."',
  (text): VerityPlace | null => {
    if (isDeviceText(text)) return { kind: "device", device: parseSpelledDevice(text) };
    const path = normalisePath(text);
    return path === null || text.endsWith("/") ? null : { kind: "file", path };
  },
);

const MOST_BYTES = 2 ** 50;
type Reader = (value: string, name: string) => Partial<VerityOptions>;

const block = (key: "dataBlock" | "hashBlock") => (value: string, name: string) => {
  const bytes = parseWhole(value, `${name}= in bytes`, 512, 512 * 1024);
  if (!Number.isInteger(Math.log2(bytes))) throw new Expected(`${name}= as a power of two`);
  return { [key]: bytes };
};
const flag = (name: string) => () => ({ flags: [name] });
const policy = (onCorruption: VerityOptions["onCorruption"]) => () => ({ onCorruption });
const sectors = (value: string, name: string) => {
  const bytes = parseWhole(value, `${name}= in bytes`, 0, MOST_BYTES);
  if (bytes % 512 !== 0) throw new Expected(`${name}= as a multiple of 512`);
  return bytes;
};
const nothing = () => ({});

/** The options of veritytab(5); what concerns only systemd's units has no meaning here. */
const READERS: Readonly<Record<string, Reader>> = {
  superblock: (value) => {
    const hasSuperblock = readFlag(value);
    if (hasSuperblock === null) throw new Expected("superblock= as yes or no");
    return { hasSuperblock };
  },
  format: (value) => ({ hashType: parseWhole(value, "format=", 0, 1) as 0 | 1 }),
  "data-block-size": block("dataBlock"),
  "hash-block-size": block("hashBlock"),
  "data-blocks": (value) => ({ dataBlocks: parseWhole(value, "data-blocks=", 1, MOST_BYTES / 512) }),
  hash: (value) => {
    if (!isAlgorithm(value)) throw new Expected("hash= as the name of a hash");
    return { algorithm: value };
  },
  salt: (value) => {
    const isSalt = /^(?:[0-9a-f]{2})*$/i.test(value) && value.length <= MOST_SALT_BYTES * 2;
    if (value !== "-" && !isSalt) throw new Expected("salt= as hexadecimal digits, or -");
    return { salt: value === "-" ? "" : value.toLowerCase() };
  },
  uuid: (value) => {
    // It only names the mapping of a volume without a superblock.
    if (!isUuid(value)) throw new Expected("uuid= as a UUID");
    return {};
  },
  "hash-offset": (value, name) => ({ hashOffset: sectors(value, name) }),
  "ignore-corruption": policy("ignore"),
  "restart-on-corruption": policy("restart"),
  "panic-on-corruption": policy("panic"),
  "ignore-zero-blocks": flag("ignore_zero_blocks"),
  "check-at-most-once": flag("check_at_most_once"),
  "fec-device": (value) => ({ fec: verityPlace(value) }),
  "fec-offset": (value, name) => ({ fecOffset: sectors(value, name) }),
  "fec-roots": (value) => ({ fecRoots: parseWhole(value, "fec-roots=", 2, 24) }),
  "root-hash-signature": (value) => ({ signature: readSignature(value) }),
  _netdev: nothing,
  noauto: nothing,
  nofail: nothing,
  "x-initrd.attach": nothing,
};

/** PKCS #7 of one signer has about 2 KiB; a key of the kernel has at most 32767 bytes. */
const MOST_SIGNATURE_DIGITS = 40_000;

function readSignature(value: string): VerityOptions["signature"] {
  if (value === "") return null;
  const base64 = /^base64:(.*)$/s.exec(value)?.[1];
  if (base64 !== undefined) {
    const isBase64 = /^[0-9a-z+/]+={0,2}$/i.test(base64) && base64.length <= MOST_SIGNATURE_DIGITS;
    if (!isBase64) throw new Expected("root-hash-signature=base64: with the bytes in base64");
    return { base64 };
  }
  const path = value.startsWith("/") ? normalisePath(value) : null;
  if (path === null) throw new Expected("root-hash-signature= as the path of a file of the image, or base64:…");
  return { path };
}

/** Parses options separated by commas. */
export function parseVerityOptions(text: string): readonly Partial<VerityOptions>[] {
  const words = text.split(",").filter((word) => word !== "");
  return words.map((word) => {
    const name = word.split("=", 1)[0] ?? "";
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (read === undefined) throw new Expected(`an option of veritytab(5), not ${name}`);
    return read(word.slice(name.length + 1), name);
  });
}

/** Joins options; of two that contradict each other the last counts. */
export function joinVerityOptions(all: readonly Partial<VerityOptions>[]): VerityOptions {
  const flags = [...new Set(all.flatMap(({ flags: own = [] }) => own))];
  return { ...DEFAULT_VERITY, ...(Object.assign({}, ...all) as Partial<VerityOptions>), flags };
}
