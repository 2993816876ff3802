import { SyscallError } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import type { LoadOptions, PendingModule } from "../../kernel.ts";
import { closing, openFile } from "../descriptors.ts";
import { systemCall } from "../libc.ts";
import type { AsyncCalls } from "./async-calls.ts";
import { loadOrder } from "./orders.ts";

/** Implements `Kernel.startModule`: a worker loads the module. */
export function startModule(
  { start }: Pick<AsyncCalls, "start">,
  path: string,
  parameters: string,
  { compressed = false }: LoadOptions = {},
): PendingModule {
  const flags = compressed ? abi.MODULE_INIT_COMPRESSED_FILE : 0;
  const pending = start(loadOrder(path, parameters, flags));
  if (pending === null) return loadModule(path, parameters, flags);
  return {
    isDone(timeoutMs) {
      const answer = pending.answer(timeoutMs);
      if (answer === null) return false;
      const [fd, result] = answer.results;
      if (typeof fd === "string") throw new SyscallError("open", fd, path);
      if (typeof result === "string") throw new SyscallError("finit_module", result, path);
      return true;
    },
  };
}

/** For a program without workers: it waits as long as the devices do. */
function loadModule(path: string, parameters: string, flags: number): PendingModule {
  try {
    closing(openFile(path, "r"), (fd) => systemCall("finit_module", path, fd, parameters, flags));
    return { isDone: () => true };
  } catch (error) {
    return {
      isDone() {
        throw error;
      },
    };
  }
}
