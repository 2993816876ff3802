/** A cipher as dm-crypt spells it, taken apart: "aes-cbc-essiv:sha256" is aes, cbc, essiv, sha256. */
export interface CipherSpec {
  /** As it is written in the header. */
  readonly text: string;
  readonly cipher: string;
  /** "xts", "cbc", "ecb", … */
  readonly mode: string;
  /** How each sector's IV is made: "plain64", "essiv", …; empty for ecb. */
  readonly iv: string;
  /** What follows the IV's colon; empty without. */
  readonly ivOption: string;
}

/** What may stand in a header as a cipher or a hash; nothing of it ends a word in a device-mapper table. */
export const ALGORITHM_TEXT = /^[A-Za-z0-9_:(),-]{1,127}$/;

/** Takes a cipher apart ("xchacha12,aes" is one); "aes" and "aes-plain" are "aes-cbc-plain", as dm-crypt takes them. null for the kernel's own "capi:…" form and what is none. */
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

/** True for a cipher that does not encrypt (libcryptsetup's crypt_is_cipher_null, and inside the kernel's own form). */
export function isNullCipher(text: string): boolean {
  return /cipher_null|digest_null|(^|[:(,])null($|[-(),])/.test(text);
}
