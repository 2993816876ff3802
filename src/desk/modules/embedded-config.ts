import { gunzipSync } from "node:zlib";
import { unpackKernel } from "../kernels/kernel-facts.ts";

/** Around the configuration in a kernel with CONFIG_IKCONFIG, compressed with gzip (kernel/configs.c). */
const START = "IKCFG_ST";
const END = "IKCFG_ED";
const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** Twenty times the largest known configuration. */
export const CONFIG_MAX_BYTES = 8 << 20;

/** Returns the configuration that a kernel (bzImage, vmlinux, Image, EFI zboot) or its module configs.ko contains, as scripts/extract-ikconfig finds it; null if it contains none, or is damaged. */
export function findEmbeddedConfig(bytes: Uint8Array): string | null {
  return extract(bytes) ?? extract(unpackKernel(bytes));
}

function extract(bytes: Uint8Array): string | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = buffer.indexOf(START); at !== -1; at = buffer.indexOf(START, at + 1)) {
    const start = at + START.length;
    const end = buffer.indexOf(END, start);
    if (end === -1) return null;
    if (!GZIP_MAGIC.every((byte, index) => buffer[start + index] === byte)) continue;
    const text = unpackConfig(buffer.subarray(start, end));
    if (text !== null) return text;
  }
  return null;
}

/** Unpacks a configuration compressed with gzip; null if it is damaged or larger than any. */
export function unpackConfig(bytes: Uint8Array): string | null {
  try {
    return gunzipSync(bytes, { maxOutputLength: CONFIG_MAX_BYTES }).toString("latin1");
  } catch {
    return null; // zlib's errors: the configuration is unknown, which costs only a warning
  }
}
