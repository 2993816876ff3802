import { formatAddress, parseAddress } from "../../../formats/network/addresses.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { TcpSocket } from "../../../machine/network/remote.ts";
import { negotiate } from "../../../network/remote/nbd.ts";
import type { NbdDisk } from "../../../plan/remote/plan.ts";
import { formatNbd } from "../../../plan/remote/remote.ts";
import { describeNbdRefusal, type NbdRefusal } from "../../../problems/diagnoses/network/remote.ts";
import { isErrno, SyscallError } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { describeRefusal, printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { createPauses, type Transport } from "./transport.ts";

/** How long one try may take: within 5 s, a line says what is waited for. */
const TRY_MS = 2500;
/** Of these, another answer is not to be expected. */
const FINAL: readonly NbdRefusal[] = ["no-nbd", "too-old", "policy", "tls", "unknown-export", "block-size"];

type Outcome = { readonly kind: "connected" } | Refused | { readonly kind: "failed"; readonly why: string };
type Refused = { readonly kind: "refused"; readonly refusal: NbdRefusal; readonly words: string };

/** One export of an NBD server: levain negotiates, and the driver of the kernel keeps the connection. */
export function startNbd({ machine, drivers, voice }: StorageContext, disk: NbdDisk): Transport {
  const url = formatNbd(disk.export);
  const { name } = disk.export;
  const nextPause = createPauses();
  let dueMs = 0;
  let last: Outcome | null = null;

  function attempt(): Outcome {
    drivers.loadByName("nbd");
    if (isConnected(machine, disk.device)) return { kind: "connected" };
    const { host } = disk.export;
    if (parseAddress(host) === null && last === null) voice.progress(`asking for the address of ${printable(host)}`);
    return connect(machine, disk);
  }

  const explain = (outcome: Exclude<Outcome, { kind: "connected" }>) =>
    printable(
      `${url}: ${outcome.kind === "failed" ? outcome.why : describeNbdRefusal(outcome.refusal, name, outcome.words)}`,
    );

  return {
    advance() {
      const isFirst = last === null;
      try {
        last = attempt();
      } catch (error) {
        if (!isErrno(error)) throw error;
        last = { kind: "failed", why: describeRefusal(error) };
      }
      const isOver = last.kind === "connected" || (last.kind === "refused" && FINAL.includes(last.refusal));
      dueMs = isOver ? Number.POSITIVE_INFINITY : machine.nowMs() + nextPause();
      if (isFirst && !isOver && last.kind !== "connected") voice.progress(`${explain(last)}, trying again`);
      return last.kind === "connected";
    },
    dueMs: () => dueMs,
    seen() {
      return last === null || last.kind === "connected" ? null : explain(last);
    },
    problem() {
      if (last === null || last.kind === "connected") return null;
      if (last.kind === "failed")
        return { error: problem("nbd-not-connected", { url, reason: last.why }), isFatal: false };
      const { refusal, words } = last;
      return { error: problem("nbd-refused", { url, refusal, name, words }), isFatal: FINAL.includes(refusal) };
    },
  };
}

/** True if the driver has a connection for this device: of an earlier try of this boot. */
function isConnected(machine: Machine, device: string): boolean {
  return machine.stat(`/sys/class/block/${device}/pid`) !== null;
}

/** Connects, with each address of the server in turn. Throws the SyscallError of the last. */
function connect(machine: Machine, { export: { host, port, name }, device }: NbdDisk): Outcome {
  const own = parseAddress(host);
  const addresses = own === null ? machine.resolveHost(host) : [own];
  const deadlineMs = machine.nowMs() + TRY_MS;
  let failure = new SyscallError("connect", "EHOSTUNREACH", host);
  for (const [index, address] of addresses.entries()) {
    // Those that are left share the time that is left.
    const untilMs = machine.nowMs() + (deadlineMs - machine.nowMs()) / (addresses.length - index);
    try {
      const subject = `${formatAddress(address)} port ${port}`;
      const socket = machine.connectTcp(address, port, untilMs - machine.nowMs(), subject);
      return converse(machine, socket, { name, device, untilMs });
    } catch (error) {
      if (!isErrno(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

function converse(
  machine: Machine,
  socket: TcpSocket,
  { name, device, untilMs }: { readonly name: string; readonly device: string; readonly untilMs: number },
): Outcome {
  try {
    const result = negotiate(socket, name, untilMs, machine.nowMs);
    if (result.kind === "refused") return result;
    const { sizeBytes, blockBytes, flags } = result;
    machine.attachNbd(socket, { device, sizeBytes, blockBytes, flags });
    return { kind: "connected" };
  } finally {
    socket.close();
  }
}
