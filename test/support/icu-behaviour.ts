// JavaScript for which the runtime uses ICU. test/unit/build/runtime/icu.test.ts runs this file in the untouched Bun and in one with
// trimmed data; it prints a line of JSON for each row, so that a crash shows where it happened.
import { inspect } from "node:util";

/** A name, and what to evaluate. */
export type Row = readonly [string, () => unknown];

const EPOCH = new Date(0);
const SUMMER = new Date(Date.UTC(2026, 6, 14, 15, 9, 26, 535));
// The types know only the labels that Bun had first.
const decoder = (label: string) => new TextDecoder(label as "utf-8");
const decode = (label: string, ...values: readonly number[]) => decoder(label).decode(new Uint8Array(values));
const PAIRS = Array.from({ length: 0x10000 }, (_, pair) => [pair >> 8, pair & 0xff, 0x20]).flat();
const ranges = (text: string, granularity: "grapheme" | "word" | "sentence") =>
  [...new Intl.Segmenter("en", { granularity }).segment(text)].map(({ segment }) => segment);
/** Every character of the basic plane that changes. */
const allChanged = (change: (text: string) => string) => {
  const characters = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code));
  return Bun.hash(
    characters
      .filter((text) => change(text) !== text)
      .map(change)
      .join(" "),
  ).toString();
};
const allMatches = (pattern: RegExp) => {
  const points = Array.from({ length: 0x30000 }, (_, point) => String.fromCodePoint(point));
  return points.filter((text) => pattern.test(text)).length;
};

const TEXT: readonly Row[] = [
  ["toUpperCase", () => allChanged((text) => text.toUpperCase())],
  ["toLowerCase", () => allChanged((text) => text.toLowerCase())],
  ["toUpperCase that lengthens", () => "straße ŉ ﬃ".toUpperCase()],
  ["toLocaleUpperCase", () => "istanbul".toLocaleUpperCase()],
  ["toLocaleUpperCase, Turkish", () => "istanbul".toLocaleUpperCase("tr")],
  ["toLocaleLowerCase, Lithuanian", () => "Ì".toLocaleLowerCase("lt")],
  ...(["NFC", "NFD", "NFKC", "NFKD"] as const).map(
    (form): Row => [`normalize ${form}`, () => allChanged((text) => text.normalize(form))],
  ),
  ["normalize joins", () => [..."e\u0301 ᄒ\u1161\u11ab".normalize()].length],
  ["isWellFormed", () => ["a\ud800".isWellFormed(), "a\ud800".toWellFormed()]],
  ["Bun.stringWidth", () => ["日本", "👩‍👩‍👧", "\x1b[31mred\x1b[0m", "e\u0301"].map((text) => Bun.stringWidth(text))],
  ["console.table's width", () => Bun.inspect.table([{ ä: "日本" }])],
];

const PATTERNS: readonly Row[] = [
  ..."L N P S Z C Cc Cf Cs Co Cn Zl Zp Lu Ll Nd Sc"
    .split(" ")
    .map((name): Row => [`\\p{${name}}`, () => allMatches(new RegExp(`^\\p{${name}}$`, "u"))]),
  ..."Script=Greek Script_Extensions=Han Alphabetic White_Space ID_Start Emoji Uppercase Default_Ignorable_Code_Point"
    .split(" ")
    .map((name): Row => [`\\p{${name}}`, () => allMatches(new RegExp(`^\\p{${name}}$`, "u"))]),
  ["\\p{RGI_Emoji} with v", () => /^\p{RGI_Emoji}$/v.test("👩‍👩‍👧")],
  ["set operations with v", () => allMatches(/^[\p{L}--[a-z]]$/v)],
  ["/i", () => allMatches(/^[a-zäßσ]$/i)],
  ["/iu", () => allMatches(/^[a-zäßσK]$/iu)],
  ["/iv", () => allMatches(/^[\p{Lu}&&[A-ZÀ-Þ]]$/iv)],
  ["\\w, \\s and \\b", () => [allMatches(/^\w$/iu), allMatches(/^\s$/), "ä b".split(/\b/)]],
  ["split and replace by a property", () => "a–b—c d".replaceAll(/\p{Dash}/gu, "-")],
];

const ORDER: readonly Row[] = [
  [
    "localeCompare",
    () => ["b", "ä", "a", "Z", "z", "1", "10", "2", "é", "e", "_", " "].sort((a, b) => a.localeCompare(b)),
  ],
  ["localeCompare, numeric", () => ["10", "9", "1"].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))],
  ["localeCompare, base", () => "Äb".localeCompare("ab", undefined, { sensitivity: "base" })],
  ["Intl.Collator", () => ["日", "本", "あ", "я", "א", "z"].sort(new Intl.Collator("en").compare)],
  ["sort", () => ["ä", "b", "a", "B"].sort()],
];

const DATES: readonly Row[] = [
  ["Date toString", () => [EPOCH, SUMMER].map(String)],
  ["Date toISOString, toUTCString, toJSON", () => [SUMMER.toISOString(), SUMMER.toUTCString(), SUMMER.toJSON()]],
  [
    "Date local fields",
    () => [SUMMER.getHours(), SUMMER.getDay(), SUMMER.getTimezoneOffset(), EPOCH.getTimezoneOffset()],
  ],
  ["Date from local fields", () => new Date(2026, 0, 31, 12).getTime()],
  [
    "Date.parse",
    () => ["2026-03-29T02:30", "Jul 14 2026 3:09 PM", "Tue, 14 Jul 2026 15:09:26 GMT", "nothing"].map(Date.parse),
  ],
  ["toLocaleString", () => [SUMMER.toLocaleString(), SUMMER.toLocaleDateString(), SUMMER.toLocaleTimeString()]],
  ["inspect", () => [inspect(SUMMER), Bun.inspect(SUMMER), Bun.inspect(new Date(Number.NaN))]],
  [
    "DateTimeFormat, full",
    () => new Intl.DateTimeFormat("en-US", { dateStyle: "full", timeStyle: "full" }).format(SUMMER),
  ],
  [
    "DateTimeFormat, time zones",
    () =>
      ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"].map((timeZone) =>
        new Intl.DateTimeFormat("en-US", { dateStyle: "short", timeStyle: "long", timeZone }).format(SUMMER),
      ),
  ],
  ["DateTimeFormat, ranges", () => new Intl.DateTimeFormat("en-US").formatRange(EPOCH, SUMMER)],
  ["DateTimeFormat, resolved", () => new Intl.DateTimeFormat().resolvedOptions()],
  ["RelativeTimeFormat", () => new Intl.RelativeTimeFormat("en-US", { numeric: "auto" }).format(-1, "day")],
];

const NUMBERS: readonly Row[] = [
  ["number toLocaleString", () => [(1234567.891).toLocaleString(), 12345678901234567890n.toLocaleString()]],
  ["number toFixed, toPrecision, toString", () => [(1.005).toFixed(2), (1234.5678).toPrecision(6), (255).toString(16)]],
  [
    "NumberFormat, currency",
    () => new Intl.NumberFormat("en-US", { style: "currency", currency: "EUR" }).format(1234.5),
  ],
  ["NumberFormat, unit", () => new Intl.NumberFormat("en-US", { style: "unit", unit: "megabyte" }).format(52)],
  ["NumberFormat, compact", () => new Intl.NumberFormat("en-US", { notation: "compact" }).format(116_000_000)],
  ["NumberFormat, percent", () => new Intl.NumberFormat("en-US", { style: "percent" }).format(0.256)],
  ["PluralRules", () => [0, 1, 2, 3].map((count) => new Intl.PluralRules("en-US", { type: "ordinal" }).select(count))],
  ["ListFormat", () => new Intl.ListFormat("en-US").format(["a", "b", "c"])],
  ["DisplayNames", () => new Intl.DisplayNames("en-US", { type: "region" }).of("DE")],
  [
    "Intl.Locale",
    () => [new Intl.Locale("en-Latn-US-u-ca-buddhist").minimize().toString(), Intl.getCanonicalLocales("EN-us")],
  ],
];

const SEGMENTS: readonly Row[] = [
  ["graphemes", () => ranges("e\u0301👩‍👩‍👧🇩🇪한日", "grapheme")],
  ["words", () => ranges("It's 3 o'clock: don't panic.", "word")],
  ["sentences", () => ranges("One. Two? Three!", "sentence")],
];

const ENCODINGS: readonly Row[] = [
  [
    "TextDecoder, UTF-8",
    () => [decode("utf-8", 0xef, 0xbb, 0xbf, 0xc3, 0xa4, 0xff), decode("utf8", 0xf0, 0x9f, 0x92, 0xbe)],
  ],
  ["TextDecoder, fatal", () => new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(0xff))],
  ["TextDecoder, UTF-16", () => [decode("utf-16le", 0xe4, 0, 0, 0xd8), decode("utf-16be", 0, 0xe4)]],
  ...[
    ..."latin1 windows-1252 iso-8859-2 iso-8859-15 koi8-r macintosh ibm866 windows-1251 x-user-defined".split(" "),
    ..."shift_jis euc-jp iso-2022-jp gbk gb18030 big5 euc-kr".split(" "),
  ].flatMap((label): Row[] => [
    [`TextDecoder, ${label}`, () => decode(label, 0x41, 0x82, 0xa0, 0xb0, 0xa1, 0xe4, 0x20)],
    [`TextDecoder, every pair of bytes in ${label}`, () => String(Bun.hash(decode(label, ...PAIRS)))],
  ]),
  ["TextDecoder, an unknown label", () => decoder("ebcdic")],
  ["TextEncoder", () => [...new TextEncoder().encode("ä日💾\ud800")]],
  [
    "Buffer",
    () => ["latin1", "utf16le", "ascii"].map((name) => Buffer.from("ä日", name as BufferEncoding).toString("hex")),
  ],
];

const ADDRESSES: readonly Row[] = [
  [
    "URL, IDN",
    () => ["http://bücher.example/ä?ö", "http://faß.de", "http://日本語。jp"].map((text) => new URL(text).href),
  ],
  ["URL, punycode", () => new URL("http://xn--bcher-kva.example/").host],
  [
    "URL, refused",
    () => ["http://a\u00adb\u2260.de", "http://xn--a.de", "http://a b"].map((text) => URL.canParse(text)),
  ],
  ["encodeURIComponent", () => [encodeURIComponent("ä 日"), decodeURIComponent("%C3%A4")]],
];

/** What must be the same with trimmed data: all that levain and its libraries may use. */
export const UNCHANGED: readonly Row[] = [
  ...[...TEXT, ...PATTERNS, ...ORDER, ...DATES, ...NUMBERS, ...SEGMENTS, ...ENCODINGS, ...ADDRESSES],
];

/** What is otherwise on purpose, with the value it has then: every language is English, and no list of languages remains. */
export const CHANGED: readonly (readonly [...Row, unknown])[] = [
  [
    "dates in German",
    () => new Intl.DateTimeFormat("de", { dateStyle: "long", timeZone: "UTC" }).format(EPOCH),
    "January 1, 1970",
  ],
  ["dates in British English", () => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC" }).format(SUMMER), "7/14/2026"],
  ["numbers in German", () => (1234.5).toLocaleString("de"), "1,234.5"],
  ["order in Swedish", () => ["z", "ä"].sort(new Intl.Collator("sv").compare), ["ä", "z"]],
  ["plurals in Polish", () => new Intl.PluralRules("pl").select(2), "other"],
  ["names in French", () => new Intl.DisplayNames("fr", { type: "region" }).of("DE"), "Germany"],
  ["the list of languages", () => Intl.DateTimeFormat.supportedLocalesOf(["en", "de", "ja"]), []],
  ["the name of English", () => new Intl.NumberFormat("en").resolvedOptions().locale, "en-US"],
];

function attempt(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return String(error);
  }
}

if (import.meta.main) {
  for (const [name, act] of [...UNCHANGED, ...CHANGED]) console.log(JSON.stringify([name, attempt(act)]));
}
