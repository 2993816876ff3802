import type { Clock, Files } from "../../machine/machine.ts";
import type { Connections } from "../../machine/network/connections.ts";
import type { Http } from "../../machine/network/http.ts";
import type { Fault } from "../../problems/causes/transfer.ts";
import { isFinal, TransferError } from "./fault.ts";
import type { DownloadOrder, Failure } from "./order.ts";
import { SLOWEST } from "./pace.ts";
import { createReceived, type Received } from "./received.ts";
import { transferTftp } from "./tftp/tftp.ts";
import { transfer } from "./transfer.ts";

/** What a download needs of the machine. */
export type DownloadMachine = Http & Connections & Pick<Files, "openWriter"> & Pick<Clock, "nowMs">;

/** What others may see of a download while it runs. */
export interface Watched {
  received: Received | null;
  url: string | null;
  readonly failures: Failure[];
}

const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 8000];

/** How long a server may send nothing, and how long its answer may take at most. */
export interface Silence {
  readonly ms: number;
  readonly longestAnswerMs: number;
}

const SILENCE: Silence = { ms: 20_000, longestAnswerMs: 160_000 };

/**
 * Downloads a file from the first URL that has it, with as many attempts as the patience lasts. Returns null when the file is
 * complete, or the last failure of each URL.
 */
export async function download(
  machine: DownloadMachine,
  order: DownloadOrder,
  authorities: readonly string[],
  watched: Watched,
  silence = SILENCE,
): Promise<readonly Failure[] | null> {
  const last = new Map<string, Failure>();
  const fail = (failure: Failure) => {
    last.set(failure.url, failure);
    watched.failures.push(failure);
  };
  try {
    const received = createReceived(machine, order);
    watched.received = received;
    const gain = createGain(machine, received);
    const terms = { proxy: order.proxy, authorities, onPart: gain.look, pace: SLOWEST };
    const leftMs = () => (order.patienceMs ?? Number.POSITIVE_INFINITY) - gain.withoutMs();
    const isDone = await tryInTurn(order, gain, silence, async (url, answerMs) => {
      watched.url = url;
      const fault = await faultOf(() =>
        url.startsWith("tftp:")
          ? transferTftp(machine, url, received, { onPart: gain.look, leftMs })
          : transfer(machine, url, received, { ...terms, answerMs, silenceMs: silence.ms }),
      );
      if (fault !== null) fail({ url, fault });
      return fault;
    }).finally(received.close);
    return isDone ? null : [...last.values()];
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    return [{ url: order.path, fault: error.fault }];
  }
}

async function faultOf(act: () => Promise<void>): Promise<Fault | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    return error.fault;
  }
}

/** How much of the file was received at most, and since when. */
interface Gain {
  readonly look: () => void;
  readonly bytes: () => number;
  /** Milliseconds since a byte came that had not come before. */
  readonly withoutMs: () => number;
}

function createGain(machine: Pick<Clock, "nowMs">, received: Received): Gain {
  let most = 0;
  let lastMs = machine.nowMs();
  return {
    look() {
      if (received.bytes <= most) return;
      most = received.bytes;
      lastMs = machine.nowMs();
    },
    bytes: () => most,
    withoutMs: () => machine.nowMs() - lastMs,
  };
}

/** A server with a long queue has not failed, and who asks again goes to the end of that queue. */
function nextAnswerMs(answerMs: number, fault: Fault, { longestAnswerMs }: Silence): number {
  const isSilent = fault.kind === "connection" && fault.code === "ETIMEDOUT";
  return isSilent ? Math.min(answerMs * 2, longestAnswerMs) : answerMs;
}

/** Tries one URL after the other until one has no fault, none is left, or the time is up. Returns true in the first case. */
async function tryInTurn(
  { urls, patienceMs }: DownloadOrder,
  gain: Gain,
  silence: Silence,
  attempt: (url: string, answerMs: number) => Promise<Fault | null>,
): Promise<boolean> {
  const queue = [...urls];
  const longestMs = patienceMs ?? Number.POSITIVE_INFINITY;
  let pauseMs = FIRST_PAUSE_MS;
  let answerMs = silence.ms;
  for (let url = queue.shift(); url !== undefined; url = queue.shift()) {
    const before = gain.bytes();
    const leftMs = longestMs - gain.withoutMs();
    const fault = await attempt(url, Math.min(answerMs, Math.max(leftMs, silence.ms)));
    if (fault === null) return true;
    const hasGained = gain.bytes() > before;
    // One that was cut can continue; otherwise the next URL has its turn.
    if (!isFinal(fault)) queue.splice(hasGained ? 0 : queue.length, 0, url);
    if (hasGained) [pauseMs, answerMs] = [FIRST_PAUSE_MS, silence.ms];
    else answerMs = nextAnswerMs(answerMs, fault, silence);
    if (gain.withoutMs() + pauseMs > longestMs) return false;
    // Not all machines of a rack at the same time, when their server is back.
    if (queue.length > 0) await Bun.sleep(pauseMs * (0.5 + Math.random() / 2));
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
  return false;
}
