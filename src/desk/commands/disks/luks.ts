import { writeSync } from "node:fs";
import { createFindHash } from "../../../crypto/hash.ts";
import { secretBytes, wipe } from "../../../crypto/secret.ts";
import type { LuksHeader } from "../../../formats/luks/header.ts";
import { readLuksHeader } from "../../../formats/luks/read-header.ts";
import { aesDecryptor } from "../../../keys/area-decryptor.ts";
import { createDeriveKey } from "../../../keys/kdf.ts";
import { kernelDecryptor } from "../../../keys/kernel-decryptor.ts";
import { listUntried, type Unlocked, unlock } from "../../../keys/unlock.ts";
import type { Machine, RandomReader } from "../../../machine/machine.ts";
import { readAvailableMemory, readTotalMemory } from "../../../machine/small-files.ts";
import { BootError } from "../../../problems/errors.ts";
import { printable, report } from "../../../problems/report.ts";
import { argument, command, flag, option, UsageError } from "../../command-line.ts";
import { fillFromFile, withReader } from "../../host.ts";
import { formatLuksFacts, gatherLuksFacts, type LuksFacts } from "../../luks/luks-facts.ts";

/** `levain luks IMAGE`. */
export const luksCommand = command({
  name: "luks",
  description: "Show a LUKS header, and check whether a key unlocks it",
  args: {
    image: argument("The encrypted device or image file"),
    header: option("FILE", "Read the header from this file or device"),
    "key-file": option("FILE", "Try the passphrase in FILE (-: standard input)"),
    "volume-key": flag("With --key-file: print the volume key in hexadecimal"),
    json: flag("Print JSON"),
  },
  examples: {
    "levain luks /dev/sda2": "Show the header: status 1 if it is not valid, 3 if it is, but cannot be opened here",
    "levain luks --key-file root.key /dev/sda2": "Check a key file: status 2 if it is wrong",
    "levain luks header.backup": "Check a backup of a header: status 3, because the data are elsewhere",
    "levain luks --header header.backup /dev/sda2": "Check a backup together with the data",
  },
  run: ({ words: [image = ""], has, one }, machine) => {
    const [keyFile, showsVolumeKey] = [one("key-file"), has("volume-key")];
    if (showsVolumeKey && keyFile === null) throw new UsageError("--volume-key needs --key-file");
    const question = { image, header: one("header"), keyFile, showsVolumeKey, json: has("json") };
    const { output, problems, status } = examineLuks(machine, question);
    for (const problem of problems) console.error(problem);
    for (const part of output) write(part);
    return status;
  },
});

/** Writes without a stream in between, which would keep secrets in memory. */
function write(part: string | Uint8Array): void {
  const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
  } finally {
    wipe(bytes);
  }
}

/** The arguments of `levain luks IMAGE`; `header` has a detached header, `keyFile` a passphrase and nothing else. */
export type LuksQuestion = Readonly<{
  image: string;
  header: string | null;
  keyFile: string | null;
  showsVolumeKey: boolean;
  json: boolean;
}>;

/** What to print on stdout, in this order (the caller wipes the bytes), and on stderr, one line each. */
export type LuksAnswer = Readonly<{ output: (string | Uint8Array)[]; problems: readonly string[]; status: number }>;

/** Exit statuses: a valid header that can be opened here, with a right key if one was given; … */
const OPENS = 0;
const NOT_VALID = 1;
const WRONG_KEY = 2;
const NOT_USABLE_HERE = 3;

const VOLUME_KEY_WARNING =
  "warning: the volume key unlocks the data without a passphrase, even after every passphrase was changed";
// cryptsetup's own limit.
const MAX_KEY_BYTES = 8 * 1024 * 1024;

type ReadKey = (path: string) => Uint8Array;

/** Examines a header. Throws SyscallError if the image cannot be read, BootError if a key file cannot. */
export function examineLuks(machine: Machine, question: LuksQuestion, readKey: ReadKey = readKeyFile): LuksAnswer {
  return withReader(machine, question.image, (image) => {
    if (question.header === null) return examine(machine, question, image, image, readKey);
    return withReader(machine, question.header, (from) => examine(machine, question, image, from, readKey));
  });
}

function examine(
  machine: Machine,
  question: LuksQuestion,
  image: RandomReader,
  from: RandomReader,
  readKey: ReadKey,
): LuksAnswer {
  const decryptors = [aesDecryptor, kernelDecryptor(machine)];
  const memory = { memoryBytes: readAvailableMemory(machine), totalBytes: readTotalMemory(machine) };
  const limits = { ...memory, allowsNull: false, decryptors, findHash: createFindHash(machine) };
  let header: LuksHeader;
  try {
    header = readLuksHeader(from);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    const problems = report(error);
    const json = `${formatJson({ valid: false, usableHere: false, problems })}\n`;
    return { output: question.json ? [json] : [], problems, status: NOT_VALID };
  }
  const device = { bytes: image.size, isDetached: from !== image, allowsNull: limits.allowsNull };
  const facts = gatherLuksFacts(header, device, limits);
  const problems = [...facts.warnings.map((text) => `warning: ${printable(text)}`), ...facts.problems];
  const status = facts.usableHere ? OPENS : NOT_USABLE_HERE;
  // A key opens a keyslot without the data, so that a backup can be checked too.
  if (!facts.keysUsable || question.keyFile === null) return { output: print(question, facts, null), problems, status };
  const passphrase = readKey(question.keyFile === "-" ? "/dev/stdin" : question.keyFile);
  const endsWithNewline = passphrase.at(-1) === 0x0a;
  let unlocked: Unlocked;
  try {
    unlocked = unlock(header, passphrase, { ...limits, deriveKey: createDeriveKey(machine), keyslot: null });
  } finally {
    wipe(passphrase);
  }
  if (unlocked.kind === "wrong-passphrase") {
    const untried = listUntried(header, { ...limits, keyslot: null });
    const newline = endsWithNewline ? ": it ends with a newline, which counts as part of the key" : "";
    problems.push(
      `the key opens no keyslot${newline}`,
      ...untried.map((text) => printable(`${text}, so it was not tried`)),
    );
    return { output: print(question, facts, unlocked), problems, status: WRONG_KEY };
  }
  if (question.showsVolumeKey) problems.push(VOLUME_KEY_WARNING);
  return { output: print(question, facts, unlocked), problems, status };
}

function print(question: LuksQuestion, facts: LuksFacts, unlocked: Unlocked | null): (string | Uint8Array)[] {
  const opened = unlocked?.kind === "unlocked" ? unlocked : null;
  const hex = opened === null ? null : takeHex(opened.volumeKey);
  const key = question.showsVolumeKey ? hex : null;
  if (key === null) wipe(hex);
  if (question.json) {
    const text = formatJson({ ...facts, ...(unlocked !== null && { unlocks: opened?.keyslot ?? null }) });
    // The key is never a string: it is inserted as bytes, before the brace that ends the object.
    return key === null ? [`${text}\n`] : [`${text.slice(0, -2)},\n  "volumeKey": "`, key, '"\n}\n'];
  }
  const lines = [...formatLuksFacts(facts), ...(opened === null ? [] : [`opens       keyslot ${opened.keyslot}`])];
  const text = `${lines.join("\n")}\n`;
  return key === null ? [text] : [`${text}volume key  `, key, "\n"];
}

/** JSON allows control characters in strings that a terminal would obey: these are escaped. */
function formatJson(value: object): string {
  return JSON.stringify(value, null, 2).replace(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
      .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** Returns the hexadecimal digits of `key` as bytes; wipes the key. */
function takeHex(key: Uint8Array): Uint8Array {
  const digits = secretBytes(key.length * 2);
  const digit = (value: number) => value + (value < 10 ? 0x30 : 0x57);
  for (const [index, byte] of key.entries()) digits.set([digit(byte >>> 4), digit(byte & 15)], index * 2);
  wipe(key);
  return digits;
}

/** Returns the bytes of a key file, pipe or device; the caller wipes them. Throws BootError if it cannot be read or is larger than 8 MiB. */
export function readKeyFile(path: string): Uint8Array {
  const room = secretBytes(MAX_KEY_BYTES + 1);
  try {
    const length = fillFromFile(room, path, `cannot read the key file ${path}`);
    if (length > MAX_KEY_BYTES) throw new BootError(`${path} is too large for a key file: more than 8 MiB`);
    const bytes = secretBytes(length);
    bytes.set(room.subarray(0, length));
    return bytes;
  } finally {
    wipe(room);
  }
}
