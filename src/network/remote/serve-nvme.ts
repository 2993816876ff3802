import { parseAddress } from "../../formats/network/addresses.ts";
import {
  countEntries,
  DISCOVERY_ENTRY_BYTES,
  DISCOVERY_HEADER_BYTES,
  type NvmeSubsystem,
  parseEntries,
} from "../../formats/network/nvme-discovery.ts";
import type { Files } from "../../machine/machine.ts";
import type { Connections } from "../../machine/network/connections.ts";
import type { RemoteDisks } from "../../machine/network/remote.ts";
import { isNqn } from "../../parameters/network/nvmf.ts";
import type { NvmeOutcome } from "../../problems/diagnoses/network/nvme.ts";
import { SyscallError, tolerateRefusal } from "../../problems/errors.ts";
import { decodeNvmeOrder, encodeNvme, type NvmeOrder } from "./nvme-order.ts";

type ServingMachine = Pick<Connections, "tryConnection"> &
  Pick<RemoteDisks, "connectNvme" | "readNvmeLog"> &
  Pick<Files, "writeFile">;

/** NVMF_DISC_SUBSYS_NAME, and NVME_LOG_DISC, of linux/nvme.h. */
const DISCOVERY_NQN = "nqn.2014-08.org.nvmexpress.discovery";
const DISCOVERY_PAGE = 0x70;
/** A server for one machine lists a few; a list that has no end must not hold up the boot. */
const MOST_SUBSYSTEMS = 64;

/** Returns what connects to all subsystems of a server, in a process of its own. */
export function createNvmeConnections(machine: ServingMachine): (order: Uint8Array) => Promise<Uint8Array> {
  return async (bytes) => encodeNvme(await answer(machine, decodeNvmeOrder(bytes)));
}

async function answer(machine: ServingMachine, order: NvmeOrder): Promise<NvmeOutcome> {
  let step: "reach" | "discover" = "reach";
  try {
    const address = await machine.tryConnection(order.host, order.port, order.timeoutMs);
    step = "discover";
    return connectAll(machine, order, discover(machine, order, address));
  } catch (error) {
    if (error instanceof SyscallError) return { step, code: error.code };
    throw error;
  }
}

/** What a discovery service has: the subsystems that count, and how many entries it lists, and of them were read. */
interface Discovery {
  readonly subsystems: readonly NvmeSubsystem[];
  readonly listed: number;
  readonly read: number;
}

/** Asks the discovery service for its subsystems; the connection to it ends again. */
function discover(machine: ServingMachine, order: NvmeOrder, address: string): Discovery {
  const controller = machine.connectNvme(optionsFor(order, { nqn: DISCOVERY_NQN, address, port: String(order.port) }));
  try {
    const listed = countEntries(machine.readNvmeLog(controller, DISCOVERY_PAGE, 0, DISCOVERY_HEADER_BYTES));
    const read = Math.min(listed, MOST_SUBSYSTEMS);
    if (read === 0) return { subsystems: [], listed, read };
    const bytes = read * DISCOVERY_ENTRY_BYTES;
    const entries = machine.readNvmeLog(controller, DISCOVERY_PAGE, DISCOVERY_HEADER_BYTES, bytes);
    return { subsystems: parseEntries(entries), listed, read };
  } finally {
    tolerateRefusal(() => machine.writeFile(`/sys/class/nvme/${controller}/delete_controller`, "1"));
  }
}

function connectAll(machine: ServingMachine, order: NvmeOrder, { subsystems, listed, read }: Discovery): NvmeOutcome {
  const connected: string[] = [];
  const refused: { nqn: string; code: string }[] = [];
  for (const subsystem of subsystems) {
    const code = tryConnect(machine, order, subsystem);
    if (code === null) connected.push(subsystem.nqn);
    else refused.push({ nqn: subsystem.nqn, code });
  }
  return { connected: [...new Set(connected)], refused, listed, read };
}

/** Returns null if the subsystem is connected, also of an earlier try, or the errno name. */
function tryConnect(machine: ServingMachine, order: NvmeOrder, subsystem: NvmeSubsystem): string | null {
  // The options for the kernel are separated by commas: what a server sends must not add any.
  if (!isNqn(subsystem.nqn) || parseAddress(subsystem.address) === null || !/^\d{1,5}$/.test(subsystem.port)) {
    return "EBADMSG";
  }
  try {
    // A root must survive a server that is away for longer than the 10 minutes of the driver.
    machine.connectNvme(`${optionsFor(order, subsystem)},ctrl_loss_tmo=-1`);
    return null;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return error.code === "EALREADY" ? null : error.code;
  }
}

function optionsFor({ ownAddress, hostNqn, hostId }: NvmeOrder, { nqn, address, port }: NvmeSubsystem): string {
  return [
    ...[`nqn=${nqn}`, "transport=tcp", `traddr=${address}`, `trsvcid=${port}`],
    ...(ownAddress === null ? [] : [`host_traddr=${ownAddress}`]),
    ...(hostNqn === null ? [] : [`hostnqn=${hostNqn}`]),
    ...(hostId === null ? [] : [`hostid=${hostId}`]),
  ].join(",");
}
