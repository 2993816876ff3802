import { byHand, type Diagnosis, diagnosis, IF_MEMORY_RAN_OUT, inBootLoader } from "../diagnosis.ts";
import { useOtherInitramfs } from "../not-supported.ts";
import { describeFree, formatBytes } from "../size.ts";

/** A row without facts. */
const plain = (text: string, hints: Diagnosis<object>["hints"] = () => []) => diagnosis({ text: () => text, hints });

const LESS_MEMORY = byHand(
  "let the keyslot need less, on a machine with more memory: cryptsetup luksConvertKey --pbkdf-memory KIB DEVICE",
);

// By the requirement's name without its version: why levain refuses it, and what to do.
const REQUIREMENTS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  "offline-reencrypt": ["an offline reencryption was interrupted", "finish it with cryptsetup reencrypt"],
  "online-reencrypt": ["a reencryption is in progress", "finish it with cryptsetup reencrypt --resume-only"],
  "inline-hw-tags": [
    "its integrity tags are in the sectors' own metadata, which levain does not set up",
    "unlock it in another system",
  ],
  opal: ["the drive does the encryption (OPAL), which levain does not unlock", "unlock it in another system"],
};

function explainRequirement(requirements: readonly string[]): readonly [reason: string, hint: string] {
  const name = (requirements[0] ?? "").replace(/-v\d+$/, "");
  const known = Object.hasOwn(REQUIREMENTS, name) ? REQUIREMENTS[name] : undefined;
  return known ?? ["levain does not know this requirement", "unlock it with a cryptsetup that knows it"];
}

const ELSEWHERE = [useOtherInitramfs("this volume")];
const OLD_SIZE = [byHand("give the partition its old size, or copy the whole volume again")];
const RESTORE_HEADER = [byHand("restore a backup of the header: cryptsetup luksHeaderRestore")];

/** What stops the unlocking of an encrypted volume once its header is read. */
export const KEYS = {
  "luks-requirement": diagnosis<{ requirements: readonly string[] }>({
    text: ({ requirements }) => `the LUKS2 header requires ${requirements.join(", ")}`,
    reasons: ({ requirements }) => [explainRequirement(requirements)[0]],
    hints: ({ requirements }) => [byHand(explainRequirement(requirements)[1])],
  }),
  "no-usable-keyslot": diagnosis<{ lacksMemory: boolean }>({
    text: () => "no keyslot of the LUKS header can be tried",
    hints: ({ lacksMemory }) => (lacksMemory ? [LESS_MEMORY, byHand("give this machine more memory")] : []),
  }),
  "keyslots-too-costly": plain("trying all of its keyslots would take hours", () => [
    inBootLoader("name the one to try: rd.luks.options=key-slot=NUMBER"),
  ]),
  "data-type-unsupported": diagnosis<{ type: string }>({
    text: ({ type }) => `the data segment has the type ${type}, which is not supported`,
    hints: () => ELSEWHERE,
  }),
  "data-not-encrypted": diagnosis<{ cipher: string }>({
    text: ({ cipher }) => `the data are not encrypted (${cipher})`,
    hints: () => [inBootLoader("rd.luks.options=insecure-null accepts it anyway")],
  }),
  "no-volume-key": plain("no keyslot holds the key of the data", () => RESTORE_HEADER),
  "data-partial-sector": diagnosis<{ sectorBytes: number }>({
    text: ({ sectorBytes }) => `the data do not end with a whole sector of ${sectorBytes} bytes`,
    hints: () => OLD_SIZE,
  }),
  "data-in-segments": diagnosis<{ count: number }>({
    text: ({ count }) => `the data are in ${count} segments: a reencryption is in progress`,
    hints: () => [byHand("finish it with cryptsetup reencrypt --resume-only")],
  }),
  "data-under-header": plain("the data begin where the header is, so this header belongs to another device", () => [
    inBootLoader("name the file or device of the header with rd.luks.header=, or --header of levain luks"),
  ]),
  "header-without-data": plain(
    "the device ends before the data: it holds a header alone, as a backup of it does",
    () => [
      byHand("name the device with the data, and this one with --header: levain luks --header BACKUP DEVICE"),
      byHand("write the backup to its device: cryptsetup luksHeaderRestore"),
    ],
  ),
  "segment-beyond-device": plain("the data reach beyond the end of the device", () => OLD_SIZE),
  "integrity-unsupported": diagnosis<{ integrity: string; cipher: string }>({
    text: ({ integrity, cipher }) => `integrity ${integrity} with ${cipher} is not supported`,
    hints: () => ELSEWHERE,
  }),
  "hash-unsupported": diagnosis<{ hash: string }>({
    text: ({ hash }) => `hash ${hash} is not supported`,
    hints: () => ELSEWHERE,
  }),
  "plain-hash-too-long": diagnosis<{ hash: string; keyBytes: number }>({
    text: ({ hash, keyBytes }) => `the hash ${hash} does not fit a key of ${keyBytes} bytes`,
    hints: () => [inBootLoader("correct hash= and size= in rd.luks.options=")],
  }),
  "key-material-too-short": plain("the key material is too short", () => RESTORE_HEADER),
  "kdf-unsupported": diagnosis<{ kdf: string }>({
    text: ({ kdf }) => `key derivation ${kdf} is not supported`,
    hints: () => ELSEWHERE,
  }),
  "kdf-needs-memory": diagnosis<{
    kdf: string;
    neededBytes: number;
    availableBytes: number | null;
    totalBytes: number | null;
  }>({
    text: ({ kdf, neededBytes, availableBytes, totalBytes }) =>
      `the key derivation ${kdf} needs ${formatBytes(neededBytes)} of memory` +
      (availableBytes === null ? "" : `, and ${describeFree(availableBytes, totalBytes)}`),
    hints: () => [LESS_MEMORY],
  }),
  "kdf-process-ended": diagnosis<{ status: number }>({
    text: ({ status }) => `the process that derives the key ended with status ${status}`,
    hints: () => [IF_MEMORY_RAN_OUT],
  }),
  "kdf-process-killed": diagnosis<{ kdf: string; neededBytes: number | null }>({
    text: ({ kdf, neededBytes }) =>
      "the kernel killed the process that derives the key" +
      (neededBytes === null ? "" : `: ${kdf} needs ${formatBytes(neededBytes)} of memory`),
    hints: () => [byHand("the kernel does so when memory runs out: unlock it on a machine with more memory")],
  }),
};
