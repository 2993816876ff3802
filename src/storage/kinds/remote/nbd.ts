import type { NbdDisk } from "../../../plan/remote/plan.ts";
import { formatNbd } from "../../../plan/remote/remote.ts";
import { describeNbdRefusal, type NbdRefusal } from "../../../problems/diagnoses/network/remote.ts";
import { problem } from "../../../problems/problem.ts";
import { printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { createNbdTries, type Outcome } from "./nbd-tries.ts";
import { createPauses, type Transport } from "./transport.ts";

/** How often an answer is looked for. */
const LOOK_MS = 100;
/** Of these, another answer is not to be expected. */
const FINAL: readonly NbdRefusal[] = ["no-nbd", "too-old", "policy", "tls", "unknown-export", "block-size"];

/** One export of an NBD server: levain negotiates, and the driver of the kernel keeps the connection. */
export function startNbd(context: StorageContext, disk: NbdDisk): Transport {
  const { machine, voice } = context;
  const url = formatNbd(disk.export);
  const { name } = disk.export;
  const nextPause = createPauses();
  const tries = createNbdTries(context, disk);
  let dueMs = 0;
  let last: Outcome | null = null;
  let hasFailed = false;

  const explain = (outcome: Exclude<Outcome, { kind: "connected" }>) =>
    printable(
      `${url}: ${outcome.kind === "failed" ? outcome.why : describeNbdRefusal(outcome.refusal, name, outcome.words)}`,
    );

  function advance(): boolean {
    const outcome = tries.advance();
    if (typeof outcome === "string") {
      // What an earlier try has shown is worth more.
      if (!hasFailed) last = { kind: "failed", why: outcome };
      dueMs = machine.nowMs() + LOOK_MS;
      return false;
    }
    last = outcome;
    const isOver = outcome.kind === "connected" || (outcome.kind === "refused" && FINAL.includes(outcome.refusal));
    dueMs = isOver ? Number.POSITIVE_INFINITY : machine.nowMs() + nextPause();
    if (isOver) tries.close();
    else if (!hasFailed) voice.progress(`${explain(outcome)}, trying again`);
    hasFailed = true;
    return outcome.kind === "connected";
  }

  return {
    advance,
    close: tries.close,
    dueMs: () => dueMs,
    seen() {
      return last === null || last.kind === "connected" ? null : explain(last);
    },
    problem() {
      if (last === null || last.kind === "connected") return null;
      if (last.kind === "failed")
        return { error: problem("nbd-not-connected", { url, reason: last.why }), isFatal: false, isCause: true };
      const { refusal, words } = last;
      return { error: problem("nbd-refused", { url, refusal, name, words }), isFatal: FINAL.includes(refusal) };
    },
  };
}
