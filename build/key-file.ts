import * as fs from "node:fs";
import { BootError } from "../src/errors.ts";
import { secretBytes, wipe } from "../src/luks/secret.ts";
import { refusable } from "../src/machine/linux-files.ts";

// cryptsetup's own limit.
const MAX_BYTES = 8 * 1024 * 1024;

/** All bytes of a key file, which may be a pipe or a device; the caller wipes them. Throws SyscallError, and BootError for more than 8 MiB. */
export function readKeyFile(path: string): Uint8Array {
  const room = secretBytes(MAX_BYTES + 1);
  const fd = refusable(path, () => fs.openSync(path, "r"));
  try {
    let length = 0;
    for (let got = -1; got !== 0 && length < room.length; length += got) {
      got = refusable(path, () => fs.readSync(fd, room, length, room.length - length, null));
    }
    if (length > MAX_BYTES) throw new BootError(`${path} is larger than any key file: more than 8 MiB`);
    const bytes = secretBytes(length);
    bytes.set(room.subarray(0, length));
    return bytes;
  } finally {
    fs.closeSync(fd);
    wipe(room);
  }
}
