import { CHILD_COMMANDS } from "../../../machine/child-commands.ts";
import type { Machine } from "../../../machine/machine.ts";
import { textOrNone } from "../../../machine/small-files.ts";
import { decodeIscsiAnswer, encodeIscsi } from "../../../network/remote/iscsi-order.ts";
import { iscsiName } from "../../../parameters/network/iscsi.ts";
import { tryParse } from "../../../parameters/parse.ts";
import type { IscsiPlan } from "../../../plan/remote/plan.ts";
import { formatIscsi } from "../../../plan/remote/remote.ts";
import { describeIscsi, type IscsiOutcome } from "../../../problems/diagnoses/network/iscsi.ts";
import { problem } from "../../../problems/problem.ts";
import { printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { connectByChild } from "./by-child.ts";
import type { Transport } from "./transport.ts";

/** How long a name server and the server have together to accept a connection. */
const REACH_MS = 5000;
const PROGRAMS = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"].map((directory) => `${directory}/iscsistart`);
/** levain tries again itself, so that it can say why. */
const ONE_TRY = "node.session.initial_login_retry_max=1";

/** One target of iSCSI: the program iscsistart logs in, and the driver keeps the session. */
export function startIscsi(context: StorageContext, target: IscsiPlan): Transport {
  const { machine, drivers } = context;
  const where = printable(`iSCSI, ${formatIscsi(target)}`);
  const program = PROGRAMS.find((path) => machine.stat(path)?.kind === "file");
  const initiator = target.initiator ?? findName(machine);
  if (program === undefined) return inVain(where, { kind: "without-program" });
  if (initiator === null) return inVain(where, { kind: "without-name" });
  return connectByChild<IscsiOutcome>(context, {
    where,
    begin() {
      drivers.loadByName("iscsi_tcp");
      const child = machine.startChild(CHILD_COMMANDS.iscsi);
      const argv = [program, ...argumentsFor(target, initiator)];
      const order = encodeIscsi({ host: target.host, port: target.port, timeoutMs: REACH_MS, argv });
      child.order(order);
      order.fill(0);
      return child;
    },
    decode: decodeIscsiAnswer,
    gone: { kind: "failed", code: "ECHILD" },
    isConnected: ({ kind }) => kind === "connected",
    explain: describeIscsi,
    problem: (outcome) => problem("iscsi-not-connected", { where, outcome }),
  });
}

/** What no server can change. */
function inVain(where: string, outcome: IscsiOutcome): Transport {
  return {
    advance: () => false,
    dueMs: () => Number.POSITIVE_INFINITY,
    seen: () => printable(`${where}: ${describeIscsi(outcome)}`),
    problem: () => ({ error: problem("iscsi-not-connected", { where, outcome }), isFatal: false, isCause: true }),
  };
}

/** As iscsistart(8) takes them. It has no other way to get a password. */
function argumentsFor(plan: IscsiPlan, initiator: string): readonly string[] {
  const { target, group, port, account, targetAccount, settings } = plan;
  return [
    ...["-i", initiator, "-t", target, "-g", String(group), "-p", String(port)],
    ...(account === null ? [] : ["-u", account.username, "-w", account.password]),
    ...(targetAccount === null ? [] : ["-U", targetAccount.username, "-W", targetAccount.password]),
    ...[ONE_TRY, ...settings].flatMap((setting) => ["-P", setting]),
  ];
}

/** The name in the file of open-iscsi, or in the firmware (iBFT). */
function findName(machine: Pick<Machine, "readFile">): string | null {
  const line = /^InitiatorName=(\S+)/m.exec(textOrNone(machine, "/etc/iscsi/initiatorname.iscsi"))?.[1];
  const found = tryParse(iscsiName, line ?? textOrNone(machine, "/sys/firmware/ibft/initiator/initiator-name").trim());
  return "value" in found ? found.value : null;
}
