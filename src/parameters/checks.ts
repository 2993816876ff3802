import { Expected, parser } from "./parse.ts";
import { parseFileUrl } from "./sources/file-url.ts";
import { readFlag } from "./values.ts";

/** The digests of checksum files, the strongest first, as live-boot tries them. */
export const SUM_DIGESTS = ["sha512", "sha384", "sha256", "sha224", "sha1", "md5"] as const;
export type SumDigest = (typeof SUM_DIGESTS)[number];

/** The digests that may be used; none for no check. */
export const sumDigests = (text: string): readonly SumDigest[] => {
  const asked = readFlag(text);
  if (asked !== null) return asked ? SUM_DIGESTS : [];
  const names = text.split(",").map((name) => SUM_DIGESTS.find((digest) => digest === name.toLowerCase()));
  if (names.includes(undefined)) throw new Expected(`yes, no or digests (${SUM_DIGESTS.join(", ")})`);
  return SUM_DIGESTS.filter((digest) => names.includes(digest));
};

/** What an image file has to match: its bytes, or its fs-verity measurement. */
export interface ImageDigest {
  readonly algorithm: "sha256" | "sha512";
  /** Hexadecimal digits, in lower case. */
  readonly hex: string;
}

/** The URL of a signed list of checksums; empty for the default. */
export const signedList = parser("http://…, https://… or tftp://…, or no value", (text) =>
  text === "" ? "" : parseFileUrl(text),
);

const DIGITS = { sha256: 64, sha512: 128 } as const;

/** sha256:HEX or sha512:HEX. */
export const imageDigest = parser("sha256:HEX or sha512:HEX", (text): ImageDigest | null => {
  const [, algorithm, hex = ""] = /^(sha256|sha512):([0-9a-f]+)$/i.exec(text) ?? [];
  const name = algorithm?.toLowerCase() === "sha512" ? "sha512" : "sha256";
  return algorithm === undefined || hex.length !== DIGITS[name] ? null : { algorithm: name, hex: hex.toLowerCase() };
});
