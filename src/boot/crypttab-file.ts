import { decodeText } from "../formats/text.ts";
import type { Machine } from "../machine/machine.ts";
import { BootError } from "../problems/errors.ts";

const PATH = "/etc/crypttab";
/** More is no crypttab. */
export const MAX_CRYPTTAB_BYTES = 64 << 10;

/** The text of the image's /etc/crypttab, or null where it has none. Throws BootError for one that is none, or longer than 64 KiB. */
export function readCrypttab(machine: Machine): string | null {
  const status = machine.stat(PATH);
  if (status === null) return null;
  if (status.kind !== "file") throw new BootError(`${PATH} is not a file`);
  const reader = machine.openReader(PATH);
  try {
    const bytes = reader.read(0, MAX_CRYPTTAB_BYTES + 1);
    if (bytes.length <= MAX_CRYPTTAB_BYTES) return decodeText(bytes);
    throw new BootError(`${PATH} is longer than 64 KiB`);
  } finally {
    reader.close();
  }
}
