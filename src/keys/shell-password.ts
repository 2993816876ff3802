import { decodeText } from "../formats/text.ts";

/** The file of an image with the hash of its shell password. Its mode is 0600, but it is no key: the boot does not remove it. */
export const SHELL_PASSWORD_FILE = "/etc/levain.password";

/** A password's hash by Argon2id, and how it was made (RFC 9106). */
export interface PasswordHash {
  readonly kdf: {
    readonly type: "argon2id";
    readonly passes: number;
    readonly memoryKib: number;
    readonly lanes: number;
    readonly salt: Uint8Array;
  };
  readonly digest: Uint8Array;
}

/** What a boot can be expected to compute: at most 1 GiB, and not for hours. Below, libargon2 refuses. */
const RANGES = { memoryKib: [8, 1 << 20], passes: [1, 64], lanes: [1, 16], salt: [8, 64], digest: [16, 64] } as const;
const KIB_PER_LANE = 8;

/** The PHC string format (phc-sf-spec.md of the Password Hashing Competition), as argon2(1) and Bun.password print it. */
const PHC = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{1,128})\$([A-Za-z0-9+/]{1,128})$/;

/** Parses "$argon2id$v=19$m=32768,t=4,p=1$SALT$DIGEST"; null if it is not one, or out of bounds. */
export function parsePasswordHash(text: Uint8Array | string): PasswordHash | null {
  const parts = PHC.exec((typeof text === "string" ? text : decodeText(text)).trim());
  if (parts === null) return null;
  const [memoryKib, passes, lanes] = parts.slice(1, 4).map(Number) as [number, number, number];
  const [salt, digest] = parts.slice(4).map(decodeBase64) as [Uint8Array, Uint8Array];
  const sizes = { memoryKib, passes, lanes, salt: salt.length, digest: digest.length };
  const isWithin = Object.entries(RANGES).every(([name, [least, most]]) => {
    const size = sizes[name as keyof typeof sizes];
    return size >= least && size <= most;
  });
  if (!isWithin || memoryKib < lanes * KIB_PER_LANE) return null;
  return { kdf: { type: "argon2id", memoryKib, passes, lanes, salt }, digest };
}

/** Formats it as `parsePasswordHash` reads it. */
export function formatPasswordHash({ kdf, digest }: PasswordHash): string {
  const encode = (bytes: Uint8Array) => bytes.toBase64({ omitPadding: true });
  const { memoryKib, passes, lanes, salt } = kdf;
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${encode(salt)}$${encode(digest)}`;
}

/** Empty if it is malformed: too short, then, for a salt or a digest. */
function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return new Uint8Array();
  }
}
