import { NEW_UTSNAME } from "../abi/constants.ts";
import { systemCall } from "./libc.ts";

/** Returns what `uname -r` and `uname -m` print. Where they print "aarch64", the runtime's os.machine() is "arm64". */
export function readUname(): { readonly release: string; readonly machine: string } {
  const names = new Uint8Array(NEW_UTSNAME.size);
  systemCall("uname", "the kernel", names);
  const textAt = (offset: number) => new TextDecoder().decode(names.subarray(offset, names.indexOf(0, offset)));
  return { release: textAt(NEW_UTSNAME.release), machine: textAt(NEW_UTSNAME.machine) };
}
