import { SyscallError } from "../../problems/errors.ts";
import { MFD_CLOEXEC, MFD_NOEXEC_SEAL } from "../abi.ts";
import { callKernel, systemCall } from "./libc.ts";

/** A new file that exists in memory only; its descriptor, which the caller closes. `name` is seen in /proc/self/fd. */
export function openMemoryFile(name: string): number {
  // Since Linux 6.3 the kernel wants to know whether it will be executed (mapping it is none of that), and may insist; before, it knows no such flag.
  const fd = callKernel("memfd_create", [name, MFD_CLOEXEC | MFD_NOEXEC_SEAL]);
  if (fd === "EINVAL") return systemCall("memfd_create", name, name, MFD_CLOEXEC);
  if (typeof fd === "string") throw new SyscallError("memfd_create", fd, name);
  return fd;
}
