import { formatAddress } from "../../../formats/network/addresses.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { TcpSocket } from "../../../machine/network/remote.ts";
import { createServerSearch } from "../../../network/remote/find-server.ts";
import { negotiate } from "../../../network/remote/nbd.ts";
import type { NbdDisk } from "../../../plan/remote/plan.ts";
import { formatNbd } from "../../../plan/remote/remote.ts";
import { describeNbdRefusal, type NbdRefusal } from "../../../problems/diagnoses/network/remote.ts";
import { isErrno } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { describeRefusal, printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { createPauses, type Transport } from "./transport.ts";

/** How long one try may take: within 5 s, a line says what is waited for. */
const TRY_MS = 2500;
/** How long a name server and the server have together to answer, in the process that asks them. */
const SEARCH_MS = 5000;
const SEARCH_PAUSE_MS = 100;
/** Of these, another answer is not to be expected. */
const FINAL: readonly NbdRefusal[] = ["no-nbd", "too-old", "policy", "tls", "unknown-export", "block-size"];

type Outcome = { readonly kind: "connected" } | Refused | { readonly kind: "failed"; readonly why: string };
type Refused = { readonly kind: "refused"; readonly refusal: NbdRefusal; readonly words: string };

/** One export of an NBD server: levain negotiates, and the driver of the kernel keeps the connection. */
export function startNbd({ machine, drivers, voice }: StorageContext, disk: NbdDisk): Transport {
  const url = formatNbd(disk.export);
  const { name } = disk.export;
  const nextPause = createPauses();
  const search = createServerSearch(machine, disk.export, SEARCH_MS);
  let dueMs = 0;
  let last: Outcome | null = null;
  let hasFailed = false;

  /** Returns null while the address is not known. */
  function attempt(): Outcome | null {
    try {
      drivers.loadByName("nbd");
      if (isConnected(machine, disk.device)) return { kind: "connected" };
      const address = search.address();
      return address === null ? null : connect(machine, disk, address);
    } catch (error) {
      if (!isErrno(error)) throw error;
      return { kind: "failed", why: describeRefusal(error) };
    }
  }

  const explain = (outcome: Exclude<Outcome, { kind: "connected" }>) =>
    printable(
      `${url}: ${outcome.kind === "failed" ? outcome.why : describeNbdRefusal(outcome.refusal, name, outcome.words)}`,
    );

  function advance(): boolean {
    const outcome = attempt();
    if (outcome === null) {
      // What an earlier try has shown is worth more.
      last ??= { kind: "failed", why: `no answer yet about the address of ${disk.export.host}` };
      dueMs = machine.nowMs() + SEARCH_PAUSE_MS;
      return false;
    }
    last = outcome;
    const isOver = outcome.kind === "connected" || (outcome.kind === "refused" && FINAL.includes(outcome.refusal));
    dueMs = isOver ? Number.POSITIVE_INFINITY : machine.nowMs() + nextPause();
    if (isOver) search.stop();
    else if (!hasFailed) voice.progress(`${explain(outcome)}, trying again`);
    hasFailed = true;
    return outcome.kind === "connected";
  }

  return {
    advance,
    close: search.stop,
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

/** Connects to the server at this address. Throws SyscallError. */
function connect(machine: Machine, { export: { port, name }, device }: NbdDisk, address: Uint8Array): Outcome {
  const untilMs = machine.nowMs() + TRY_MS;
  const socket = machine.connectTcp(address, port, TRY_MS, `${formatAddress(address)} port ${port}`);
  return converse(machine, socket, { name, device, untilMs });
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
