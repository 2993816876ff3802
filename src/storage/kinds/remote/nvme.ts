import { textOrNone } from "../../../machine/small-files.ts";
import { decodeNvmeAnswer, encodeNvme, NVME_COMMAND } from "../../../network/remote/nvme-order.ts";
import { hostId, isNqn, type NvmePlace } from "../../../parameters/network/nvmf.ts";
import { tryParse } from "../../../parameters/parse.ts";
import type { NvmePlan } from "../../../plan/remote/plan.ts";
import { formatNvme } from "../../../plan/remote/remote.ts";
import { describeNvme, type NvmeOutcome } from "../../../problems/diagnoses/network/nvme.ts";
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
      const child = machine.startChild(NVME_COMMAND);
      child.order(encodeNvme({ ...place, ...names, timeoutMs: REACH_MS }));
      return child;
    },
    decode: decodeNvmeAnswer,
    gone: { step: "reach", code: "ECHILD" },
    isConnected: (answer) => "connected" in answer && answer.connected.length > 0,
    explain: (answer) => describeNvme(answer, names.hostNqn),
    problem: (answer) => problem("nvme-not-connected", { where, answer, hostNqn: names.hostNqn }),
  });
}

const UUID = "/sys/class/dmi/id/product_uuid";

/** Names this machine as nvme-cli does: by the parameters, by the files of the image, or by the UUID of the firmware. */
function nameHost(machine: StorageContext["machine"], plan: NvmePlan): Pick<NvmePlan, "hostNqn" | "hostId"> {
  const read = (path: string) => {
    const found = tryParse(hostId, textOrNone(machine, path).trim());
    return "value" in found ? found.value : null;
  };
  const firmware = read(UUID);
  const file = textOrNone(machine, "/etc/nvme/hostnqn").trim();
  const own = firmware === null ? null : `nqn.2014-08.org.nvmexpress:uuid:${firmware}`;
  return {
    hostNqn: plan.hostNqn ?? (isNqn(file) ? file : own),
    hostId: plan.hostId ?? read("/etc/nvme/hostid") ?? firmware,
  };
}
