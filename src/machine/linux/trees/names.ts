import { SyscallError } from "../../../problems/errors.ts";

/** What has no byte of its own: U+012E would become "." in Latin-1, and U+012F a slash. */
const NO_BYTE = /[^\x01-\xff]/;

/** Returns the bytes of a name, path or target, which has one character for each byte, NUL-terminated for a system call. EINVAL if it has any other character. */
export function encodeName(text: string): Uint8Array {
  if (NO_BYTE.test(text)) throw new SyscallError("open", "EINVAL", JSON.stringify(text));
  return Buffer.from(`${text}\0`, "latin1");
}
