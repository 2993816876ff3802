import { decodeText } from "../formats/text.ts";
import type { Machine } from "../machine/machine.ts";
import { problem } from "../problems/problem.ts";

const PATH = "/etc/crypttab";
const MAX_KIB = 64;
/** A longer file is not read as a crypttab. */
export const MAX_CRYPTTAB_BYTES = MAX_KIB << 10;

/** Returns the text of the image's /etc/crypttab; null if it has none. Throws BootError if that is not a file, or longer than 64 KiB. */
export function readCrypttab(machine: Machine): string | null {
  const status = machine.stat(PATH);
  if (status === null) return null;
  if (status.kind !== "file") throw problem("crypttab-not-a-file", { path: PATH });
  const reader = machine.openReader(PATH);
  try {
    const bytes = reader.read(0, MAX_CRYPTTAB_BYTES + 1);
    if (bytes.length <= MAX_CRYPTTAB_BYTES) return decodeText(bytes);
    throw problem("crypttab-too-long", { path: PATH, maxKib: MAX_KIB });
  } finally {
    reader.close();
  }
}
