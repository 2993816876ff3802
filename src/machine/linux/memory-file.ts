import { SyscallError } from "../../problems/errors.ts";
import { MFD_CLOEXEC, MFD_NOEXEC_SEAL } from "../abi.ts";
import { callKernel, systemCall } from "./libc.ts";

/** Creates a file in memory and returns its descriptor, which the caller closes. /proc/self/fd shows `name`. */
export function openMemoryFile(name: string): number {
  // Since Linux 6.3 the kernel warns without this flag, or insists on it; mapping is not executing. Older kernels do not know the flag.
  const fd = callKernel("memfd_create", [name, MFD_CLOEXEC | MFD_NOEXEC_SEAL]);
  if (fd === "EINVAL") return systemCall("memfd_create", name, name, MFD_CLOEXEC);
  if (typeof fd === "string") throw new SyscallError("memfd_create", fd, name);
  return fd;
}
