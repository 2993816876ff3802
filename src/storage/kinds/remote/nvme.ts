import { uuidOfName } from "../../../formats/bytes.ts";
import { CHILD_COMMANDS } from "../../../machine/child-commands.ts";
import { textOrNone } from "../../../machine/small-files.ts";
import { decodeNvmeAnswer, encodeNvme } from "../../../network/remote/nvme-order.ts";
import { hostId, isNqn, type NvmePlace } from "../../../parameters/network/nvmf.ts";
import { tryParse } from "../../../parameters/parse.ts";
import type { NvmePlan } from "../../../plan/remote/plan.ts";
import { formatNvme } from "../../../plan/remote/remote.ts";
import { describeNvme, describeUnread, type NvmeOutcome } from "../../../problems/diagnoses/network/nvme.ts";
import { problem } from "../../../problems/problem.ts";
import { printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { connectByChild } from "./by-child.ts";
import type { Transport } from "./transport.ts";

/** How long a name server and the server have together to accept a connection. */
const REACH_MS = 5000;

/** The subsystems of one server of NVMe over TCP; the driver keeps the connections. */
export function startNvme(context: StorageContext, plan: NvmePlan, place: NvmePlace): Transport {
  const { machine, drivers } = context;
  const where = printable(`NVMe over TCP, ${formatNvme(place)}`);
  const names = nameHost(machine, plan);
  return connectByChild<NvmeOutcome>(context, {
    where,
    begin() {
      drivers.loadByName("nvme-tcp");
      const child = machine.startChild(CHILD_COMMANDS.nvme);
      child.order(encodeNvme({ ...place, ...names, timeoutMs: REACH_MS }));
      return child;
    },
    decode: decodeNvmeAnswer,
    gone: { step: "reach", code: "ECHILD" },
    isConnected: (answer) => "connected" in answer && answer.connected.length > 0,
    explain: (answer) => describeNvme(answer, names.hostNqn),
    warning: describeUnread,
    problem: (answer) => problem("nvme-not-connected", { where, answer, hostNqn: names.hostNqn }),
  });
}

const UUID = "/sys/class/dmi/id/product_uuid";
const NQN_OF_UUID = "nqn.2014-08.org.nvmexpress:uuid:";

/**
 * Names this machine as nvme-cli does: by the parameters, by the files of the image, or by the UUID of the firmware. Each follows from the
 * other where only one is known: the kernel would take its default for it, and refuses that with another NQN (nvmf_host_add() since Linux 6.5).
 */
function nameHost(machine: StorageContext["machine"], plan: NvmePlan): Pick<NvmePlan, "hostNqn" | "hostId"> {
  const read = (path: string) => {
    const found = tryParse(hostId, textOrNone(machine, path).trim());
    return "value" in found ? found.value : null;
  };
  const firmware = read(UUID);
  const file = textOrNone(machine, "/etc/nvme/hostnqn").trim();
  const named = plan.hostNqn ?? (isNqn(file) ? file : null);
  const known = plan.hostId ?? read("/etc/nvme/hostid") ?? firmware;
  const own = firmware ?? known;
  return {
    hostNqn: named ?? (own === null ? null : `${NQN_OF_UUID}${own}`),
    hostId: known ?? (named === null ? null : identify(named)),
  };
}

/** Returns the UUID in a name, or one that is made of the name: the same at each boot. */
function identify(nqn: string): string {
  const found = tryParse(hostId, nqn.startsWith(NQN_OF_UUID) ? nqn.slice(NQN_OF_UUID.length) : "");
  return "value" in found ? found.value : uuidOfName(nqn);
}
