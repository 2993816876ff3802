import { ALGORITHM_TEXT } from "../../crypto/cipher.ts";
import { type PlaceText, parsePlace } from "./place.ts";
import type { CryptSettings, PlainFormat } from "./settings.ts";
import { expected, parseTimeSpan, parseWhole } from "./text.ts";

/** What the options of a volume say, of crypttab(5) of systemd and of Debian and of mkinitcpio's encrypt hook. */
export interface CryptOptions {
  /** What is not said is not in it. */
  readonly settings: Partial<Omit<CryptSettings, "header" | "keys" | "options">>;
  /** dm-crypt's optional words, as "allow_discards". */
  readonly words: readonly string[];
  readonly header: PlaceText | null;
  readonly keyOffset: number;
  readonly keySize: number | null;
  readonly type: "luks" | "plain" | null;
  /** What is said of a volume without a header. */
  readonly plain: Partial<PlainFormat>;
  readonly hasOldDefaults: boolean;
  readonly isOptional: boolean;
  /** noauto: for later. */
  readonly isForLater: boolean;
  /** Why a volume with them is not opened at all; null: it is. */
  readonly refusal: string | null;
  /** What is ignored, and what that means. */
  readonly warnings: readonly string[];
}

const NOTHING: CryptOptions = {
  settings: {},
  words: [],
  header: null,
  keyOffset: 0,
  keySize: null,
  type: null,
  plain: {},
  hasOldDefaults: false,
  isOptional: false,
  isForLater: false,
  refusal: null,
  warnings: [],
};

/** Words separated by commas; of two that contradict each other the last counts. Throws BootError for a malformed value. */
export function parseCryptOptions(text: string): CryptOptions {
  return text
    .split(",")
    .filter((word) => word !== "" && word !== "-" && word !== "none" && word !== "defaults")
    .reduce(readOption, NOTHING);
}

type Reader = (options: CryptOptions, value: string, name: string) => Partial<CryptOptions>;

function readOption(options: CryptOptions, word: string): CryptOptions {
  const name = word.split("=", 1)[0] ?? "";
  const reader = READERS.get(name) ?? readOther;
  return { ...options, ...reader(options, word.slice(name.length + 1), name) };
}

const MOST_SECTORS = 2 ** 42;
/** dm-crypt takes keys of up to 512 bytes. */
const MOST_KEY_BITS = 4096;

const setting = (read: (value: string, name: string) => CryptOptions["settings"]): Reader => {
  return ({ settings }, value, name) => ({ settings: { ...settings, ...read(value, name) } });
};
const plain = (read: (value: string, name: string) => Partial<PlainFormat>): Reader => {
  return (options, value, name) => ({ plain: { ...options.plain, ...read(value, name) } });
};
const dmWord =
  (word: string): Reader =>
  (options) => ({ words: [...new Set([...options.words, word])] });
const always =
  (said: Partial<CryptOptions>): Reader =>
  () =>
    said;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["luks", always({ type: "luks" })],
  ["plain", always({ type: "plain" })],
  ["cipher", plain((value) => ({ cipher: parseAlgorithm(value, "cipher=") }))],
  ["hash", plain((value) => ({ hash: parseAlgorithm(value, "hash=") }))],
  ["size", plain((value) => ({ keyBits: parseKeyBits(value) }))],
  ["offset", plain((value, name) => ({ offsetSectors: parseWhole(value, `${name}= in sectors`, 0, MOST_SECTORS) }))],
  ["skip", plain((value, name) => ({ skipSectors: parseWhole(value, `${name}= in sectors`, 0, MOST_SECTORS) }))],
  ["device-size", plain((value, name) => ({ sizeSectors: parseWhole(value, `${name}= in sectors`, 1, MOST_SECTORS) }))],
  ["sector-size", plain((value) => ({ sectorBytes: parseSectorSize(value) }))],
  ["defaults", (_options, value) => ({ hasOldDefaults: parseDefaults(value) })],
  ["keyfile-offset", (_options, value, name) => ({ keyOffset: parseWhole(value, `${name}= in bytes`, 0, 2 ** 50) })],
  ["keyfile-size", (_options, value, name) => ({ keySize: parseWhole(value, `${name}= in bytes`, 1, 2 ** 50) })],
  ["keyfile-timeout", setting((value, name) => ({ keyTimeoutMs: parseTimeSpan(value, `${name}=`) }))],
  ["key-slot", setting((value, name) => ({ keyslot: parseWhole(value, `${name}=`, 0, 31) }))],
  ["keyslot", setting((value, name) => ({ keyslot: parseWhole(value, `${name}=`, 0, 31) }))],
  ["tries", setting((value, name) => ({ tries: parseWhole(value, `${name}=`, 0, 1000) }))],
  ["max-kdf", setting((value, name) => ({ maxKdfMs: parseTimeSpan(value, `${name}=`) ?? 0 }))],
  ["timeout", setting((value, name) => ({ promptTimeoutMs: parseTimeSpan(value, `${name}=`) }))],
  ["readonly", setting(() => ({ isReadOnly: true }))],
  ["read-only", setting(() => ({ isReadOnly: true }))],
  ["insecure-null", setting(() => ({ allowsNull: true }))],
  ["header", (_options, value) => ({ header: parsePlace(value) })],
  ["discard", dmWord("allow_discards")],
  ["allow-discards", dmWord("allow_discards")],
  ["no-read-workqueue", dmWord("no_read_workqueue")],
  ["perf-no_read_workqueue", dmWord("no_read_workqueue")],
  ["no-write-workqueue", dmWord("no_write_workqueue")],
  ["perf-no_write_workqueue", dmWord("no_write_workqueue")],
  ["same-cpu-crypt", dmWord("same_cpu_crypt")],
  ["perf-same_cpu_crypt", dmWord("same_cpu_crypt")],
  ["submit-from-crypt-cpus", dmWord("submit_from_crypt_cpus")],
  ["perf-submit_from_crypt_cpus", dmWord("submit_from_crypt_cpus")],
  ["high-priority", dmWord("high_priority")],
  ["nofail", always({ isOptional: true })],
  ["fail", always({ isOptional: false })],
  ["noauto", always({ isForLater: true })],
  ["auto", always({ isForLater: false })],
  ...all("swap tmp", (_options, _value, name) => ({ refusal: `its key is another one at each start (${name})` })),
  ...all("tcrypt tcrypt-hidden tcrypt-system tcrypt-keyfile", () => ({ refusal: "TrueCrypt is not supported" })),
  ...all("tcrypt-veracrypt veracrypt veracrypt-pim", () => ({ refusal: "VeraCrypt is not supported" })),
  ...all("bitlk", () => ({ refusal: "BitLocker is not supported" })),
  ...all(
    "tpm2-device fido2-device pkcs11-uri token-timeout",
    warn("is not supported: a person is asked, or a key file is used"),
  ),
  ...all("keyscript", warn("is not run: a person is asked for what it would have printed")),
  ...all("try-empty-password", warn("is not supported: an empty passphrase has to be typed")),
  ...all("password-echo", warn("is not supported: what is typed is never shown")),
  ...all("check precheck checkargs", warn("is not run: a plain volume without a known filesystem is asked for again")),
  ...all("lvm", warn("is not supported yet: no LVM device is set up")),
  // What asks for the usual, or is about a system that runs already.
  ...all("x-initrd.attach initramfs noearly loud quiet rootdev resumedev _netdev", () => ({})),
  ...all("password-cache headless verify keyfile-erase", () => ({})),
]);

/** Every option that is known, for the documentation. */
export const CRYPT_OPTION_NAMES: readonly string[] = [...READERS.keys()];

/** "tpm2-pcrs=" and the like say more about what is warned of already; "x-systemd." speaks to systemd. */
function readOther({ warnings }: CryptOptions, _value: string, name: string): Partial<CryptOptions> {
  if (/^(?:tpm2-|fido2-|pkcs11-|x-)/.test(name)) return {};
  return { warnings: [...warnings, `unknown option ${name}, ignoring`] };
}

function all(names: string, reader: Reader): readonly (readonly [string, Reader])[] {
  return names.split(" ").map((name) => [name, reader] as const);
}

function warn(text: string): Reader {
  return ({ warnings }, _value, name) => ({ warnings: [...warnings, `${name} ${text}`] });
}

function parseAlgorithm(text: string, what: string): string {
  if (!ALGORITHM_TEXT.test(text)) throw expected(`${what} as cryptsetup spells it`);
  return text;
}

function parseKeyBits(text: string): number {
  const bits = parseWhole(text, "size= in bits", 8, MOST_KEY_BITS);
  if (bits % 8 !== 0) throw expected("size= in bits, a multiple of 8");
  return bits;
}

function parseSectorSize(text: string): number {
  if (!/^(?:512|1024|2048|4096)$/.test(text)) throw expected("sector-size= of 512, 1024, 2048 or 4096");
  return Number(text);
}

function parseDefaults(text: string): boolean {
  if (!/^(?:old|new)$/.test(text)) throw expected("defaults=old or defaults=new");
  return text === "old";
}

type Defaults = Pick<PlainFormat, "cipher" | "hash" | "keyBits">;
/** cryptsetup 2.7 and later. */
const NEW_DEFAULTS: Defaults = { cipher: "aes-xts-plain64", hash: "sha256", keyBits: 256 };
/** Before. */
const OLD_DEFAULTS: Defaults = { cipher: "aes-cbc-essiv:sha256", hash: "ripemd160", keyBits: 256 };

/** The format of a volume without a header; null where the options are those of LUKS. `isImplied`: plain even where nothing is said. */
export function planPlain(options: CryptOptions, isImplied: boolean): PlainFormat | null {
  const { type, plain: said, header, settings, hasOldDefaults } = options;
  const isGuessed = isImplied || (saysPlain(said) && header === null && (settings.keyslot ?? null) === null);
  if (type === "luks" || (type === null && !isGuessed)) return null;
  const rest = { offsetSectors: 0, skipSectors: 0, sizeSectors: null, sectorBytes: 512, unlessLuks: type === null };
  return { ...(hasOldDefaults ? OLD_DEFAULTS : NEW_DEFAULTS), ...rest, ...said };
}

/** Only a plain volume is told its cipher and hash: of LUKS the header tells them. */
function saysPlain({ cipher, hash }: Partial<PlainFormat>): boolean {
  return cipher !== undefined || hash !== undefined;
}

/** What of a plain volume is taken from the defaults, which were others once; empty where all is said. */
export function listUnsaid({ plain: said, hasOldDefaults }: CryptOptions): readonly string[] {
  if (hasOldDefaults) return [];
  const { cipher, hash, keyBits } = NEW_DEFAULTS;
  return [
    ...(said.cipher === undefined ? [`cipher=${cipher}`] : []),
    ...(said.keyBits === undefined ? [`size=${keyBits}`] : []),
    ...(said.hash === undefined ? [`hash=${hash}`] : []),
  ];
}
