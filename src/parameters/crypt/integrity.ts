import type { DeviceSpec } from "../device-spec.ts";
import { Expected, normalisePath, parseWhole } from "../parse.ts";
import { parseMapperName, parseSpelledDevice } from "./text.ts";

/** A device whose sectors dm-integrity keeps checksums of, outside of LUKS and LVM. */
export interface IntegrityVolume {
  /** Of /dev/mapper/NAME. */
  readonly name: string;
  /** The device with the superblock. */
  readonly device: DeviceSpec;
  readonly options: IntegrityOptions;
}

/** What the superblock does not say. */
interface IntegrityOptions {
  /** The device with the data, if that is another one. */
  readonly dataDevice: DeviceSpec | null;
  /** As the kernel names it; with a key, the hash of the HMAC. */
  readonly hash: string;
  /** The file of the image with the key of the HMAC. */
  readonly keyFile: string | null;
  /** The kernel's letter: journal, bitmap, or neither. */
  readonly mode: "J" | "B" | "D";
  /** Optional words of the kernel's table. */
  readonly words: readonly string[];
}

type Given = Partial<Omit<IntegrityOptions, "words" | "hash">> & {
  readonly algorithm?: string;
  readonly word?: string;
};

/** The one with a key. */
const KEYED = "hmac-sha256";
/** Those that integritysetup(8) formats with; the first is its default. */
const ALGORITHMS = ["crc32c", "crc32", "xxhash64", "sha1", "sha256", KEYED] as const;
const MODES: Readonly<Record<string, IntegrityOptions["mode"]>> = { journal: "J", bitmap: "B", direct: "D" };
/** The kernel keeps the time in 32 bits. */
const MOST_COMMIT_MS = 2 ** 31 - 1;

/** The options of integritytab(5), and `key=` for its third field. */
const READERS: Readonly<Record<string, (value: string) => Given>> = {
  "integrity-algorithm": (value) => ({
    algorithm: ALGORITHMS.find((one) => one === value) ?? expect(`integrity-algorithm= as ${ALGORITHMS.join(", ")}`),
  }),
  "allow-discards": () => ({ word: "allow_discards" }),
  mode: (value) => ({ mode: MODES[value] ?? expect("mode= as journal, bitmap or direct") }),
  "journal-watermark": (value) => {
    const percent = parseWhole(value.replace(/%$/, ""), "journal-watermark=", 0, 100);
    return percent === 0 ? {} : { word: `journal_watermark:${percent}` };
  },
  "journal-commit-time": (value) => {
    const ms = parseWhole(value, "journal-commit-time=", 0, MOST_COMMIT_MS);
    return ms === 0 ? {} : { word: `commit_time:${ms}` };
  },
  "data-device": (value) => ({ dataDevice: parseSpelledDevice(value) }),
  key: (value) => {
    const path = value.startsWith("/") && !value.startsWith("/dev/") ? normalisePath(value) : null;
    return { keyFile: path ?? expect("key= as the path of a file of the initramfs") };
  },
};

/** Parses "NAME:DEVICE[,OPTION…]". Throws Expected. */
export function parseIntegrityVolume(text: string): IntegrityVolume {
  const [, name, device = "", optionText] = /^([^:]*):([^,]*)(?:,(.*))?$/s.exec(text) ?? [];
  if (name === undefined) throw new Expected("NAME:DEVICE, optionally with options behind a comma");
  const words = optionText === undefined ? [] : optionText.split(",");
  return { name: parseMapperName(name), device: parseSpelledDevice(device), options: parseOptions(words) };
}

function parseOptions(texts: readonly string[]): IntegrityOptions {
  const given = texts.map(parseOption);
  const joined: Given = Object.assign({}, ...given);
  const { dataDevice = null, keyFile = null, mode = "J" } = joined;
  const { algorithm = keyFile === null ? ALGORITHMS[0] : KEYED } = joined;
  if ((algorithm === KEYED) !== (keyFile !== null)) expect(`key= with integrity-algorithm=${KEYED}, and with no other`);
  const words = given.flatMap(({ word }) => word ?? []);
  return { dataDevice, keyFile, mode, words, hash: algorithm.replace(/^hmac-/, "") };
}

function parseOption(text: string): Given {
  const [name = "", value = ""] = text.split(/=(.*)/s);
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  return reader === undefined ? expect(`an option of integritytab: ${Object.keys(READERS).join(", ")}`) : reader(value);
}

function expect(what: string): never {
  throw new Expected(what);
}
