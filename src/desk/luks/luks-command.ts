import { createFindHash } from "../../crypto/hash.ts";
import { secretBytes, wipe } from "../../crypto/secret.ts";
import type { LuksHeader } from "../../formats/luks/header.ts";
import { readLuksHeader } from "../../formats/luks/read-header.ts";
import { aesDecryptor } from "../../keys/area-decryptor.ts";
import { createDeriveKey } from "../../keys/kdf.ts";
import { kernelDecryptor } from "../../keys/kernel-decryptor.ts";
import type { Limits } from "../../keys/obstacles.ts";
import { listUntried, type Unlocked, unlock } from "../../keys/unlock.ts";
import type { Machine, RandomReader } from "../../machine/machine.ts";
import { readAvailableMemory } from "../../machine/small-files.ts";
import { BootError, SyscallError } from "../../problems/errors.ts";
import { printable, report } from "../../problems/report.ts";
import { readKeyFile } from "./key-file.ts";
import { gatherLuksFacts, type LuksFacts } from "./luks-facts.ts";
import { formatLuksFacts } from "./luks-text.ts";

/** How `levain luks IMAGE` was asked. */
export interface LuksQuestion {
  readonly image: string;
  /** Where the header is, if not in the image. */
  readonly header: string | null;
  /** What holds the passphrase, all of it; "-" is the standard input. */
  readonly keyFile: string | null;
  readonly showsVolumeKey: boolean;
  readonly json: boolean;
}

/** What to print, where, and how to end: 0 for an acceptable header, and a right key; 1 for one that is not; 2 for a wrong key. */
export interface LuksAnswer {
  /** For stdout, in this order; the caller wipes the bytes among them. */
  readonly output: readonly (string | Uint8Array)[];
  /** For stderr, one line each. */
  readonly problems: readonly string[];
  readonly status: 0 | 1 | 2;
}

const ACCEPTABLE = 0;
const NOT_ACCEPTABLE = 1;
const WRONG_KEY = 2;
const VOLUME_KEY_WARNING =
  "warning: whoever has the volume key reads the data without a passphrase, also after every passphrase was changed";

type ReadKey = (path: string) => Uint8Array;

/** `levain luks IMAGE`. Throws SyscallError where the image cannot be read, BootError where a key file cannot. */
export function examineLuks(machine: Machine, question: LuksQuestion, readKey: ReadKey = readKeyFile): LuksAnswer {
  const from = { machine, readKey };
  return withReader(machine, question.image, (image) => {
    if (question.header === null) return examine(from, question, image, image);
    return withReader(machine, question.header, (header) => examine(from, question, image, header));
  });
}

interface Host {
  readonly machine: Machine;
  readonly readKey: ReadKey;
}

function examine(host: Host, question: LuksQuestion, image: RandomReader, from: RandomReader): LuksAnswer {
  const { machine } = host;
  const decryptors = [aesDecryptor, kernelDecryptor(machine)];
  const memoryBytes = readAvailableMemory(machine);
  const limits = { memoryBytes, allowsNull: false, decryptors, findHash: createFindHash(machine) };
  let header: LuksHeader;
  try {
    header = readLuksHeader(from);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    const problems = report(error);
    const json = `${formatJson({ acceptable: false, problems })}\n`;
    return { output: question.json ? [json] : [], problems, status: NOT_ACCEPTABLE };
  }
  const device = { bytes: image.size, isDetached: from !== image, allowsNull: limits.allowsNull };
  const facts = gatherLuksFacts(header, device, limits);
  const told = facts.warnings.map((text) => `warning: ${printable(text)}`);
  if (!facts.acceptable || question.keyFile === null) {
    const status = facts.acceptable ? ACCEPTABLE : NOT_ACCEPTABLE;
    return { output: print(question, facts, null), problems: [...told, ...facts.problems], status };
  }
  const unlocked = tryKey(host, question.keyFile, header, limits);
  const problems = [...told, ...(question.showsVolumeKey && unlocked.kind === "unlocked" ? [VOLUME_KEY_WARNING] : [])];
  const isWrong = unlocked.kind === "wrong-passphrase";
  if (isWrong) {
    const untried = listUntried(header, { ...limits, keyslot: null });
    problems.push("the key opens no keyslot", ...untried.map((text) => printable(`${text}, so it was not tried`)));
  }
  return { output: print(question, facts, unlocked), problems, status: isWrong ? WRONG_KEY : ACCEPTABLE };
}

function tryKey({ machine, readKey }: Host, path: string, header: LuksHeader, limits: Limits): Unlocked {
  const passphrase = readKey(path === "-" ? "/dev/stdin" : path);
  try {
    return unlock(header, passphrase, { ...limits, deriveKey: createDeriveKey(machine), keyslot: null });
  } finally {
    wipe(passphrase);
  }
}

function print(
  { json, showsVolumeKey }: LuksQuestion,
  facts: LuksFacts,
  unlocked: Unlocked | null,
): (string | Uint8Array)[] {
  const opened = unlocked?.kind === "unlocked" ? unlocked : null;
  const hex = opened === null ? null : takeHex(opened.volumeKey);
  const key = showsVolumeKey ? hex : null;
  if (key === null) wipe(hex);
  const opens = unlocked === null ? {} : { unlocks: opened?.keyslot ?? null };
  if (json) {
    const text = formatJson({ ...facts, ...opens });
    // The key is never a string: it goes in as bytes, before the brace that ends the object.
    return key === null ? [`${text}\n`] : [`${text.slice(0, -2)},\n  "volumeKey": "`, key, '"\n}\n'];
  }
  const lines = [...formatLuksFacts(facts), ...(opened === null ? [] : [`opens       keyslot ${opened.keyslot}`])];
  const text = `${lines.join("\n")}\n`;
  return key === null ? [text] : [`${text}volume key  `, key, "\n"];
}

/** A terminal may read it: what JSON would let stand in a text, and a terminal obey, is escaped. */
function formatJson(value: object): string {
  return JSON.stringify(value, null, 2).replace(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
      .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** The hexadecimal digits of `key`, as bytes; wipes the key. */
function takeHex(key: Uint8Array): Uint8Array {
  const digits = secretBytes(key.length * 2);
  const digit = (value: number) => value + (value < 10 ? 0x30 : 0x57);
  for (const [index, byte] of key.entries()) digits.set([digit(byte >>> 4), digit(byte & 15)], index * 2);
  wipe(key);
  return digits;
}

function withReader<T>(machine: Machine, path: string, use: (reader: RandomReader) => T): T {
  // To open it would be a wait for somebody who writes into it.
  if (machine.stat(path)?.kind === "fifo") throw new SyscallError("lseek", "ESPIPE", path);
  const reader = machine.openReader(path);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}
