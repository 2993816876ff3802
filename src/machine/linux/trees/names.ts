/** Returns the bytes of a name, path or target, which has one character for each byte, NUL-terminated for a system call. */
export function encodeName(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, "latin1");
}
