import * as fs from "node:fs";
import { secretBytes, wipe } from "../../crypto/secret.ts";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../attempt.ts";

// cryptsetup's own limit.
const MAX_BYTES = 8 * 1024 * 1024;

/** All bytes of a key file, which may be a pipe or a device; the caller wipes them. Throws BootError where it cannot be read or has more than 8 MiB. */
export function readKeyFile(path: string): Uint8Array {
  const what = `could not read the key file ${path}`;
  const room = secretBytes(MAX_BYTES + 1);
  const fd = attempt(what, () => fs.openSync(path, "r"));
  try {
    let length = 0;
    for (let got = -1; got !== 0 && length < room.length; length += got) {
      got = attempt(what, () => fs.readSync(fd, room, length, room.length - length, null));
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
