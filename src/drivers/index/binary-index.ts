import { aliasLine, parseDependencies } from "./kernel-files.ts";
import type { IndexParts } from "./module-index.ts";
import { normalizeName } from "./names.ts";

/** One value of an index: `modules.dep.bin` has a line of modules.dep under each module's name, `modules.alias.bin` modules' names under each pattern. */
export interface BinaryEntry {
  readonly key: string;
  readonly value: string;
  /** The module's place in modules.order. */
  readonly priority: number;
}

// The file format of libkmod/libkmod-index.c; all numbers are big-endian. The upper bits of a node's offset say what it contains.
const MAGIC = 0xb007f457;
const VERSION_MAJOR = 2;
const NODE_PREFIX = 0x80000000;
const NODE_VALUES = 0x40000000;
const NODE_CHILDREN = 0x20000000;
const NODE_OFFSET = 0x0fffffff;
const DEPTH_MAX = 4096;

/** Reads every entry of a `modules.*.bin`; null if the bytes are not such an index, or a damaged one. */
export function readBinaryIndex(bytes: Uint8Array): readonly BinaryEntry[] | null {
  try {
    return walk(bytes);
  } catch (error) {
    if (error instanceof RangeError) return null; // an offset points outside of the file
    throw error;
  }
}

/** With the key up to the node. */
type Reference = Readonly<{ reference: number; key: string }>;

function walk(bytes: Uint8Array): readonly BinaryEntry[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC || view.getUint32(4) >>> 16 !== VERSION_MAJOR) return null;
  const found: BinaryEntry[] = [];
  const open: Reference[] = [{ reference: view.getUint32(8), key: "" }];
  // A node has at least two bytes and one parent: more nodes than that mean a loop.
  for (let left = bytes.length / 2; open.length > 0; left -= 1) {
    const next = open.pop();
    if (next === undefined || (next.reference & NODE_OFFSET) === 0) continue;
    if (left < 0 || next.key.length > DEPTH_MAX) return null;
    readNode(view, next, found, open);
  }
  return found;
}

/** Adds the values of a node to `found` and its children to `open`. */
function readNode(view: DataView, { reference, key: path }: Reference, found: BinaryEntry[], open: Reference[]): void {
  let at = reference & NODE_OFFSET;
  const readString = () => {
    const start = at;
    while (view.getUint8(at) !== 0) at += 1;
    at += 1;
    return Buffer.from(view.buffer, view.byteOffset + start, at - 1 - start).toString("utf8");
  };
  const readNumber = () => {
    at += 4;
    return view.getUint32(at - 4);
  };
  const key = path + (reference & NODE_PREFIX ? readString() : "");
  if (reference & NODE_CHILDREN) {
    const [first, last] = [view.getUint8(at), view.getUint8(at + 1)];
    at += 2;
    for (let code = first; code <= last; code += 1) {
      open.push({ reference: readNumber(), key: key + String.fromCharCode(code) });
    }
  }
  const count = reference & NODE_VALUES ? readNumber() : 0;
  for (let index = 0; index < count; index += 1) found.push({ key, priority: readNumber(), value: readString() });
}

/**
 * Reads the parts of an index from depmod's binary files, which images of mkinitcpio have instead of the text files. `read` returns
 * modules.NAME.bin, empty if it is missing. null if modules.dep.bin or modules.alias.bin is missing or unusable.
 */
export function readBinaryParts(read: (name: string) => Uint8Array, softDependencies: string): IndexParts | null {
  const lines = readBinaryIndex(read("dep"));
  if (lines === null || lines.length === 0) return null;
  const inOrder = [...lines].sort((a, b) => a.priority - b.priority);
  const readAliases = (name: string) =>
    (readBinaryIndex(read(name)) ?? []).flatMap(({ key, value }) => aliasLine(key, value));
  const aliases = readAliases("alias");
  if (aliases.length === 0) return null;
  return {
    modules: parseDependencies(inOrder.map(({ value }) => value).join("\n")),
    aliases,
    builtin: (readBinaryIndex(read("builtin")) ?? []).map(({ key }) => normalizeName(key)),
    builtinAliases: readAliases("builtin.alias"),
    softDependencies,
  };
}
