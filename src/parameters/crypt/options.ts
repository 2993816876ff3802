import { ALGORITHM_TEXT } from "../../crypto/cipher.ts";
import { notSupportedYet } from "../../problems/not-supported.ts";
import { nearestName } from "../near-misses.ts";
import { Expected, matching, parseTimeSpan, parseWhole } from "../parse.ts";
import { type CryptSettings, MOST_BYTES, type PlaceText, type PlainFormat, parsePlace, RANDOM_KEY } from "./place.ts";

/** What the options of a volume say: those of crypttab(5) of systemd and of Debian, and of mkinitcpio's encrypt hook. A field is left out if no option sets it. */
export interface CryptOptions {
  readonly settings?: Partial<Omit<CryptSettings, "header" | "keys" | "options">>;
  /** dm-crypt's optional parameters, such as "allow_discards". */
  readonly flags?: readonly string[];
  readonly header?: PlaceText;
  readonly keyOffset?: number;
  readonly keySize?: number;
  readonly type?: "luks" | "plain";
  /** crypto=: plain if the device is not LUKS. */
  readonly isPlainElse?: boolean;
  /** The format of a volume without a header. */
  readonly plain?: Partial<PlainFormat>;
  readonly hasOldDefaults?: boolean;
  readonly isOptional?: boolean;
  /** noauto. */
  readonly isForLater?: boolean;
  /** Why a volume with these options is not unlocked. */
  readonly refusal?: string;
  /** Which options are ignored, and what that means. */
  readonly warnings?: readonly string[];
}

/** Joins options; of two that contradict each other the last counts. */
export function joinOptions(...all: readonly CryptOptions[]): CryptOptions {
  return {
    ...(Object.assign({}, ...all) as CryptOptions),
    settings: Object.assign({}, ...all.map(({ settings }) => settings)),
    plain: Object.assign({}, ...all.map(({ plain }) => plain)),
    flags: [...new Set(all.flatMap(({ flags = [] }) => flags))],
    warnings: all.flatMap(({ warnings = [] }) => warnings),
  };
}

/** Parses options separated by commas. Throws Expected for a malformed value. */
export function parseCryptOptions(text: string): CryptOptions {
  const words = text.split(",").filter((word) => !/^(?:|-|none|defaults)$/.test(word));
  return joinOptions(...words.map(parseOption));
}

type Reader = (value: string, name: string) => CryptOptions;

function parseOption(word: string): CryptOptions {
  const name = word.split("=", 1)[0] ?? "";
  return (READERS.get(name) ?? readOther)(word.slice(name.length + 1), name);
}

const MOST_SECTORS = 2 ** 42;
/** dm-crypt takes keys of up to 512 bytes. */
const MOST_KEY_BITS = 4096;

const setting = (read: (value: string, name: string) => CryptOptions["settings"] & object): Reader => {
  return (value, name) => ({ settings: read(value, name) });
};
const plain = (read: (value: string, name: string) => Partial<PlainFormat>): Reader => {
  return (value, name) => ({ plain: read(value, name) });
};
const sectors = (value: string, name: string, least = 0) =>
  parseWhole(value, `${name}= in sectors`, least, MOST_SECTORS);
const bytes = (value: string, name: string, least: number) => parseWhole(value, `${name}= in bytes`, least, MOST_BYTES);
const flag = (name: string) => () => ({ flags: [name] });
const refuse = (refusal: string) => () => ({ refusal });
const warn = (text: string) => (_value: string, name: string) => ({ warnings: [`${name} ${text}`] });

const lack = (meaning: string) => (_value: string, name: string) => ({
  warnings: [`${notSupportedYet(name)}: ${meaning}`],
});

/** THE table of options, for crypttab and for every parameter that takes options: names, and what each sets. docs/crypttab.md documents them. */
const OPTIONS: readonly (readonly [names: string, read: Reader])[] = [
  ["luks", () => ({ type: "luks" })],
  ["plain", () => ({ type: "plain" })],
  ["cipher", plain((value, name) => ({ cipher: parseAlgorithm(value, name) }))],
  ["hash", plain((value, name) => ({ hash: parseAlgorithm(value, name) }))],
  ["size", plain((value) => ({ keyBits: parseKeyBits(value) }))],
  ["offset", plain((value, name) => ({ offsetSectors: sectors(value, name) }))],
  ["skip", plain((value, name) => ({ skipSectors: sectors(value, name) }))],
  ["device-size", plain((value, name) => ({ sizeSectors: sectors(value, name, 1) }))],
  ["sector-size", plain((value) => ({ sectorBytes: Number(parseSectorSize(value)) }))],
  ["defaults", (value) => ({ hasOldDefaults: parseDefaults(value) === "old" })],
  ["keyfile-offset", (value, name) => ({ keyOffset: bytes(value, name, 0) })],
  ["keyfile-size", (value, name) => ({ keySize: bytes(value, name, 1) })],
  ["keyfile-timeout", setting((value, name) => ({ keyTimeoutMs: parseTimeSpan(value, `${name}=`) }))],
  ["key-slot keyslot", setting((value, name) => ({ keyslot: parseWhole(value, `${name}=`, 0, 31) }))],
  ["tries", setting((value, name) => ({ tries: parseWhole(value, `${name}=`, 0, 1000) }))],
  ["max-kdf", setting((value, name) => ({ maxKdfMs: parseTimeSpan(value, `${name}=`) ?? 0 }))],
  ["timeout", setting((value, name) => ({ promptTimeoutMs: parseTimeSpan(value, `${name}=`) }))],
  ["readonly read-only", setting(() => ({ isReadOnly: true }))],
  ["insecure-null", setting(() => ({ allowsNull: true }))],
  ["header", (value) => ({ header: parsePlace(value) })],
  ["discard allow-discards", flag("allow_discards")],
  ["no-read-workqueue perf-no_read_workqueue", flag("no_read_workqueue")],
  ["no-write-workqueue perf-no_write_workqueue", flag("no_write_workqueue")],
  ["same-cpu-crypt perf-same_cpu_crypt", flag("same_cpu_crypt")],
  ["submit-from-crypt-cpus perf-submit_from_crypt_cpus", flag("submit_from_crypt_cpus")],
  ["high-priority", flag("high_priority")],
  ["nofail", () => ({ isOptional: true })],
  ["fail", () => ({ isOptional: false })],
  ["noauto", () => ({ isForLater: true })],
  ["auto", () => ({ isForLater: false })],
  ["swap tmp", (_value, name) => ({ refusal: `${RANDOM_KEY} (${name})` })],
  ["tcrypt tcrypt-hidden tcrypt-system tcrypt-keyfile", refuse(notSupportedYet("TrueCrypt"))],
  ["tcrypt-veracrypt veracrypt veracrypt-pim", refuse(notSupportedYet("VeraCrypt"))],
  ["bitlk", refuse(notSupportedYet("BitLocker"))],
  ["tpm2-device fido2-device pkcs11-uri token-timeout", lack("levain uses a key file or asks for a passphrase")],
  ["keyscript", warn("is not run: levain asks for what it would print")],
  ["try-empty-password", lack("an empty passphrase must be typed")],
  ["password-echo", lack("passphrases are never echoed")],
  ["check precheck checkargs", warn("is not run: levain asks again if a plain volume has no known filesystem")],
  ["lvm", () => ({})],
  // These ask for the default, or concern a running system.
  ["x-initrd.attach initramfs noearly loud quiet rootdev resumedev _netdev", () => ({})],
  ["password-cache headless verify keyfile-erase", () => ({})],
];
const READERS: ReadonlyMap<string, Reader> = new Map(
  OPTIONS.flatMap(([names, read]) => names.split(" ").map((name) => [name, read])),
);

/** Every known option, for the documentation. */
export const CRYPT_OPTION_NAMES: readonly string[] = [...READERS.keys()];

/** "tpm2-pcrs=" and the like are details of options that have a warning already; "x-systemd." is for systemd. */
function readOther(_value: string, name: string): CryptOptions {
  if (/^(?:tpm2-|fido2-|pkcs11-|x-)/.test(name)) return {};
  const meant = nearestName(name, CRYPT_OPTION_NAMES);
  return { warnings: [`unknown option ${name}, ignoring it${meant === null ? "" : `: did you mean ${meant}?`}`] };
}

const parseSectorSize = matching("sector-size= of 512, 1024, 2048 or 4096", /^(?:512|1024|2048|4096)$/);
const parseDefaults = matching("defaults=old or defaults=new", /^(?:old|new)$/);

function parseAlgorithm(text: string, name: string): string {
  return matching(`${name}= as cryptsetup spells it`, ALGORITHM_TEXT)(text);
}

function parseKeyBits(text: string): number {
  const bits = parseWhole(text, "size= in bits", 8, MOST_KEY_BITS);
  if (bits % 8 !== 0) throw new Expected("size= in bits, a multiple of 8");
  return bits;
}

type Defaults = Pick<PlainFormat, "cipher" | "hash" | "keyBits">;
/** cryptsetup 2.7 and later. */
const NEW_DEFAULTS: Defaults = { cipher: "aes-xts-plain64", hash: "sha256", keyBits: 256 };
/** cryptsetup before 2.7. */
const OLD_DEFAULTS: Defaults = { cipher: "aes-cbc-essiv:sha256", hash: "ripemd160", keyBits: 256 };

/** Returns the format of a volume without a header; null if these are options of a LUKS volume. */
export function planPlain({ type, isPlainElse, plain: said = {}, ...options }: CryptOptions): PlainFormat | null {
  const { header, settings, hasOldDefaults } = options;
  // Only a plain volume needs its cipher and hash as options: those of LUKS are in the header.
  const saysPlain = said.cipher !== undefined || said.hash !== undefined;
  const isGuessed = isPlainElse || (saysPlain && header === undefined && (settings?.keyslot ?? null) === null);
  if (type === "luks" || (type === undefined && !isGuessed)) return null;
  const unlessLuks = type === undefined;
  const rest = { offsetSectors: 0, skipSectors: 0, sizeSectors: null, sectorBytes: 512, unlessLuks };
  return { ...(hasOldDefaults ? OLD_DEFAULTS : NEW_DEFAULTS), ...rest, ...said };
}

/** Returns what a plain volume leaves to the defaults, which cryptsetup 2.7 changed, as options. */
export function listUnsaid({ plain: said = {}, hasOldDefaults }: CryptOptions): readonly string[] {
  const names = { cipher: "cipher", keyBits: "size", hash: "hash" } as const;
  const unsaid = (["cipher", "keyBits", "hash"] as const).filter((key) => said[key] === undefined);
  return hasOldDefaults ? [] : unsaid.map((key) => `${names[key]}=${NEW_DEFAULTS[key]}`);
}
