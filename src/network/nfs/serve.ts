import type { Mounts } from "../../machine/mounts.ts";
import type { Connections } from "../../machine/network/connections.ts";
import { SyscallError } from "../../problems/errors.ts";
import { decodeOrder, encodeJson, type NfsAnswer, type NfsOrder } from "./order.ts";

type ServingMachine = Connections & Pick<Mounts, "mount">;

/** Returns what connects and mounts, in a process of its own. */
export function createNfsMounts(machine: ServingMachine): (order: Uint8Array) => Promise<Uint8Array> {
  return async (bytes) => encodeJson(await answer(machine, decodeOrder(bytes)));
}

async function answer(machine: ServingMachine, order: NfsOrder): Promise<NfsAnswer> {
  try {
    if (order.kind === "connect") {
      return { address: await machine.tryConnection(order.host, order.port, order.timeoutMs) };
    }
    if (order.kind === "mount") machine.mount(order.request);
    return { address: null };
  } catch (error) {
    if (error instanceof SyscallError) return { code: error.code };
    throw error;
  }
}
