import { SyscallError } from "../../../problems/errors.ts";
import { XATTR_LIST_MAX, XATTR_SIZE_MAX } from "../../abi/trees.ts";
import { callKernel } from "../libc.ts";
import { encodeName } from "./names.ts";

const names = new Uint8Array(XATTR_LIST_MAX);
const value = new Uint8Array(XATTR_SIZE_MAX);
/** No extended attributes. */
export const NONE: ReadonlyMap<string, Uint8Array> = new Map();

/** Returns the extended attributes of the entry to which the NUL-terminated path `at` leads, of which `path` is the name for an error. */
export function attributesOf(at: Uint8Array, path: string): ReadonlyMap<string, Uint8Array> {
  const length = callKernel("llistxattr", [at, names, names.length]);
  if (length === 0 || length === "EOPNOTSUPP") return NONE;
  if (typeof length === "string") throw new SyscallError("llistxattr", length, path);
  const listed = Buffer.from(names.subarray(0, length)).toString("latin1").split("\0").slice(0, -1);
  const found = listed.flatMap((name) => {
    const size = callKernel("lgetxattr", [at, encodeName(name), value, value.length]);
    // ENODATA: removed since.
    if (size === "ENODATA") return [];
    if (typeof size === "string") throw new SyscallError("lgetxattr", size, path);
    return [[name, value.slice(0, size)] as const];
  });
  return new Map(found);
}
