import { SyscallError } from "../../../problems/errors.ts";
import { XATTR_LIST_MAX, XATTR_SIZE_MAX } from "../../abi-trees.ts";
import { callKernel } from "../libc.ts";

const names = new Uint8Array(XATTR_LIST_MAX);
const value = new Uint8Array(XATTR_SIZE_MAX);
const NONE: ReadonlyMap<string, Uint8Array> = new Map();

/** Returns the bytes of a path or name, NUL-terminated, for a system call. */
export function encodeName(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(bytes.length + 1);
  encoded.set(bytes);
  return encoded;
}

/** Returns the extended attributes of the entry at `place`, of which `path` is the name for an error. */
export function attributesOf(place: Uint8Array, path: string): ReadonlyMap<string, Uint8Array> {
  const at = encodeName(place);
  const length = callKernel("llistxattr", [at, names, names.length]);
  if (length === 0 || length === "EOPNOTSUPP") return NONE;
  if (typeof length === "string") throw new SyscallError("llistxattr", length, path);
  const listed = Buffer.from(names.subarray(0, length)).toString("latin1").split("\0").slice(0, -1);
  const found = listed.flatMap((name) => {
    const size = callKernel("lgetxattr", [at, encodeName(Buffer.from(name, "latin1")), value, value.length]);
    // ENODATA: removed since.
    if (size === "ENODATA") return [];
    if (typeof size === "string") throw new SyscallError("lgetxattr", size, path);
    return [[name, value.slice(0, size)] as const];
  });
  return new Map(found);
}
