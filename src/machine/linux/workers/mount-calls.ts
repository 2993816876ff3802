import { SyscallError } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import type { MountRequest } from "../../mounts.ts";
import { refusable } from "../descriptors.ts";
import { systemCall } from "../libc.ts";
import { encodeTexts } from "./orders.ts";
import type { Order } from "./worker.ts";

/** mount(2), by this process. */
export function mount(request: MountRequest): void {
  const { source, target, type, options, directory } = request;
  const before = directory === undefined ? null : process.cwd();
  if (directory !== undefined) refusable(directory, () => process.chdir(directory));
  try {
    // Without options a null pointer, not an empty string: some filesystems refuse any data.
    systemCall("mount", target, source, target, type, bitsOf(request), options === "" ? 0 : options);
  } finally {
    if (before !== null) process.chdir(before);
  }
}

/** The flags as mount(2) has them. */
const bitsOf = ({ flags }: MountRequest) => flags.reduce((sum, flag) => sum | abi.MOUNT_FLAGS[flag], 0);

/** Throws SyscallError if the result is an errno name. */
export function throwIfRefused(call: string, subject: string, result: number | string | undefined): void {
  if (typeof result === "string") throw new SyscallError(call, result, subject);
}

/** The order to mount; relative paths in its options begin where the worker is. */
export function mountOrder(request: MountRequest): Order {
  const { source, target, type, options } = request;
  const { data, places } = encodeTexts(source, target, type, options);
  const at = (index: number) => ({ data: places[index] ?? 0 });
  const given = options === "" ? 0 : at(3);
  return { calls: [["mount", at(0), at(1), at(2), bitsOf(request), given]], data, answerBytes: 0 };
}

/** The order to unmount. */
export function unmountOrder(target: string, flags: number): Order {
  return { calls: [["umount2", { data: 0 }, flags]], data: encodeTexts(target).data, answerBytes: 0 };
}
