import type { Content } from "../../src/desk/archive/content.ts";
import { readCpioPart } from "../../src/desk/archive/cpio-reader.ts";

/** Reads the archive at `start` completely. Throws BootError if it is damaged. */
export function readCpio(bytes: Uint8Array, start = 0) {
  const { problem, ...archive } = readCpioPart(bytes, start);
  if (problem !== null) throw problem;
  return archive;
}

/** Returns all of `content` as one array. */
export function readContent(content: Content): Uint8Array {
  return Buffer.concat([...content.chunks()]);
}
