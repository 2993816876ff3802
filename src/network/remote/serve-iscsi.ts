import type { Processes } from "../../machine/child.ts";
import type { Connections } from "../../machine/network/connections.ts";
import type { IscsiOutcome } from "../../problems/diagnoses/network/iscsi.ts";
import { SyscallError } from "../../problems/errors.ts";
import { decodeIscsiOrder, encodeIscsi, type IscsiOrder } from "./iscsi-order.ts";

type ServingMachine = Pick<Connections, "tryConnection"> & Pick<Processes, "run">;

/** ISCSI_ERR_SESS_EXISTS of open-iscsi: of an earlier try. */
const SESSION_EXISTS = 15;

/** Returns what logs in at targets, in a process of its own. */
export function createIscsiLogins(machine: ServingMachine): (order: Uint8Array) => Promise<Uint8Array> {
  return async (bytes) => encodeIscsi(await logIn(machine, decodeIscsiOrder(bytes)));
}

async function logIn(machine: ServingMachine, { host, port, timeoutMs, argv }: IscsiOrder): Promise<IscsiOutcome> {
  try {
    // iscsistart knows no names, and says less of a server that does not answer.
    const address = await machine.tryConnection(host, port, timeoutMs);
    const { status, output } = machine.run([...argv, "-a", address], { capture: true });
    if (status === 0 || status === SESSION_EXISTS) return { kind: "connected" };
    const said = output.split("\n").findLast((line) => line.trim() !== "") ?? "";
    return {
      kind: "refused",
      status,
      said: said
        .replace(/^iscsistart: /, "")
        .trim()
        .slice(0, 200),
    };
  } catch (error) {
    if (error instanceof SyscallError) return { kind: "failed", code: error.code };
    throw error;
  }
}
