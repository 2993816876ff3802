import { decodeText } from "../formats/text.ts";

/** Decodes udev's escapes in a name of /dev/disk/by-*: `\x20` is a space (`encode_devnode_name` of systemd). */
export function decodeUdevName(name: string): string {
  if (!name.includes("\\x")) return name;
  const bytes: number[] = [];
  const escaped = /\\x([0-9a-fA-F]{2})|([^\\]+|\\)/g;
  for (const [, hex, plain] of name.matchAll(escaped)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else for (const byte of new TextEncoder().encode(plain)) bytes.push(byte);
  }
  return decodeText(Uint8Array.from(bytes));
}
