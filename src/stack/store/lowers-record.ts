import { withReader } from "../../devices/block-devices.ts";
import { probe } from "../../formats/probe.ts";
import type { Machine } from "../../machine/machine.ts";
import { orIfRefused } from "../../problems/errors.ts";

/** A lower tree, as it is known again at the next boot. */
export interface LowerIdentity {
  /** For a person. */
  readonly name: string;
  /** The filesystem's UUID, or else a hash of its superblock. */
  readonly id: string;
}

/** The superblock of squashfs, which has no UUID, is 96 bytes, with the time of its creation and where each of its tables is. */
const HEAD_BYTES = 4096;

/** Returns the identity of a tree: of the filesystem on the device `node`, or by its name (null). */
export function identifyLower(machine: Machine, name: string, node: string | null): LowerIdentity {
  if (node === null) return { name, id: `directory ${name}` };
  return withReader(machine, node, (reader) => {
    const { type, uuid } = probe(reader);
    if (uuid !== null) return { name, id: `${type} ${uuid}` };
    const hash = Bun.CryptoHasher.hash("sha256", reader.read(0, HEAD_BYTES), "hex");
    return { name, id: `${type ?? "unknown"} sha256:${hash}` };
  });
}

/** The file beside upper and work that says on which lowers they were made. */
export const RECORD = "levain.json";
const MOST_BYTES = 64 * 1024;

/** Reads on which lowers an upper was made; null if no record says so. */
export function readLowers(machine: Machine, directory: string): readonly LowerIdentity[] | null {
  const path = `${directory}/${RECORD}`;
  const status = machine.lstat(path);
  // A symbolic link could lead to a device, whose reading never ends.
  if (status?.kind !== "file" || status.size > MOST_BYTES) return null;
  const text = orIfRefused(() => new TextDecoder().decode(machine.readFile(path)), "");
  return parseLowers(text);
}

/** Parses the record; null if it is malformed. */
export function parseLowers(text: string): readonly LowerIdentity[] | null {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return null;
  }
  const lowers = typeof record === "object" && record !== null && "lowers" in record ? record.lowers : null;
  return Array.isArray(lowers) && lowers.every(isIdentity) ? lowers : null;
}

function isIdentity(value: unknown): value is LowerIdentity {
  if (typeof value !== "object" || value === null) return false;
  return "name" in value && typeof value.name === "string" && "id" in value && typeof value.id === "string";
}

/** Writes the record. A power cut leaves the old one, the new one, or none. */
export function writeLowers(machine: Machine, directory: string, lowers: readonly LowerIdentity[]): void {
  const path = `${directory}/${RECORD}`;
  const fresh = `${path}.new`;
  // A symbolic link may have this name.
  if (machine.lstat(fresh) !== null) machine.removeTree(fresh);
  machine.writeFile(fresh, `${JSON.stringify({ lowers }, null, 2)}\n`);
  machine.syncFilesystem(directory);
  machine.rename(fresh, path);
}
