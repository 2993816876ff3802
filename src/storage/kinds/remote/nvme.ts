import type { Child } from "../../../machine/child.ts";
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
import { createPauses, type Transport } from "./transport.ts";

/** How often an answer is looked for. */
const LOOK_MS = 100;
/** How long a name server and the server have together to accept a connection. */
const REACH_MS = 5000;

/** The subsystems of one server of NVMe over TCP: another process asks for them and connects, and the driver keeps the connections. */
export function startNvme(context: StorageContext, plan: NvmePlan, place: NvmePlace): Transport {
  const { machine, drivers, voice } = context;
  const where = printable(formatNvme(place));
  const names = nameHost(machine, plan);
  const nextPause = createPauses();
  let child: Child | null = null;
  let dueMs = 0;
  let last: NvmeOutcome | null = null;
  const isConnected = () => last !== null && "connected" in last && last.connected.length > 0;
  const explain = () => (last === null ? "no answer from the server yet" : describeNvme(last, names.hostNqn));

  function stop(): void {
    child?.stop();
    child = null;
  }

  function begin(): void {
    drivers.loadByName("nvme-tcp");
    child = machine.startChild(NVME_COMMAND);
    child.order(encodeNvme({ ...place, ...names, timeoutMs: REACH_MS }));
  }

  return {
    advance() {
      if (child === null) begin();
      const news = child?.answer(0) ?? { kind: "busy" as const };
      dueMs = machine.nowMs() + LOOK_MS;
      if (news.kind === "busy") return false;
      stop();
      const isFirst = last === null;
      last = news.kind === "answer" ? decodeNvmeAnswer(news.bytes) : { step: "reach", code: "ECHILD" };
      dueMs = isConnected() ? Number.POSITIVE_INFINITY : machine.nowMs() + nextPause();
      if (!isConnected() && isFirst) voice.progress(`NVMe over TCP, ${where}: ${printable(explain())}, trying again`);
      return isConnected();
    },
    close: stop,
    dueMs: () => dueMs,
    seen: () => (isConnected() ? null : `NVMe over TCP, ${where}: ${printable(explain())}`),
    problem() {
      if (last === null || isConnected()) return null;
      const error = problem("nvme-not-connected", { where, answer: last, hostNqn: names.hostNqn });
      return { error, isFatal: false, isCause: true };
    },
  };
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
