/** A parsed cipher of dm-crypt: "aes-cbc-essiv:sha256" is aes, cbc, essiv, sha256. */
export interface CipherSpec {
  /** As in the header. */
  readonly text: string;
  readonly cipher: string;
  /** "xts", "cbc", "ecb", … */
  readonly mode: string;
  /** How each sector's IV is made: "plain64", "essiv", …; empty for ecb. */
  readonly iv: string;
  /** The part of the IV after a colon, or empty. */
  readonly ivOption: string;
}

/** Valid text of a cipher or hash in a header; it contains nothing that separates parameters of a device-mapper table. */
export const ALGORITHM_TEXT = /^[A-Za-z0-9_:(),-]{1,127}$/;

/** Parses a cipher ("xchacha12,aes" is one); "aes" and "aes-plain" are "aes-cbc-plain", as in dm-crypt. Returns null for the kernel's "capi:…" form and for invalid text. */
export function parseCipher(text: string): CipherSpec | null {
  const [, cipher = "", mode = "", ivText = ""] =
    /^([a-z0-9_,]+)(?:-([a-z0-9_]+))?(?:-([a-z0-9_:]+))?$/.exec(text) ?? [];
  if (cipher === "") return null;
  if (mode === "" || (mode === "plain" && ivText === "")) {
    return { text, cipher, mode: "cbc", iv: "plain", ivOption: "" };
  }
  const [iv = "", ivOption = ""] = ivText.split(":", 2);
  return { text, cipher, mode, iv, ivOption };
}

/** True for a cipher that does not encrypt (libcryptsetup's crypt_is_cipher_null, and inside the kernel's form). */
export function isNullCipher(text: string): boolean {
  return /cipher_null|digest_null|(^|[:(,])null($|[-(),])/.test(text);
}
