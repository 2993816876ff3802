import * as fs from "node:fs";
import { refusable } from "./descriptors.ts";
import { callKernel, systemCall } from "./libc.ts";

/** linux/limits.h */
const XATTR_LIST_MAX = 65_536;
const XATTR_SIZE_MAX = 65_536;
/** The attributes that decide who may use a file: labels, and ACLs of the directory and for what is created in it. */
const WANTED = /^(?:security\.|system\.posix_acl_(?:access|default)$)/;

/** Gives `target` the owner, the permissions, the ACLs and the security labels of `source`. What a filesystem does not keep, or the kernel does not allow, is left out. */
export function copyAttributes(source: string, target: string): void {
  refusable(target, () => {
    const { uid, gid, mode } = fs.statSync(source);
    fs.chownSync(target, uid, gid);
    fs.chmodSync(target, mode & 0o7777); // after chown, which clears the bits for set-user-ID
  });
  for (const name of listAttributes(source).filter((one) => WANTED.test(one))) {
    const value = new Uint8Array(XATTR_SIZE_MAX);
    const length = systemCall("lgetxattr", source, source, name, value, value.length);
    callKernel("lsetxattr", [target, name, value, length, 0]);
  }
}

function listAttributes(path: string): readonly string[] {
  const names = new Uint8Array(XATTR_LIST_MAX);
  const length = callKernel("llistxattr", [path, names, names.length]);
  // EOPNOTSUPP: the filesystem has none.
  if (typeof length === "string") return [];
  return new TextDecoder()
    .decode(names.subarray(0, length))
    .split("\0")
    .filter((name) => name !== "");
}
