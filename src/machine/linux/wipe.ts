import * as fs from "node:fs";

/** `Files.wipeFile`, in place: truncated first, its pages would be given back as they are. */
export function wipeFile(path: string): void {
  const file = fs.openSync(path, "r+");
  try {
    fs.writeSync(file, new Uint8Array(fs.fstatSync(file).size), 0);
  } finally {
    fs.closeSync(file);
  }
  fs.unlinkSync(path);
}
