import type { Child, Children } from "../../machine/child.ts";
import { CHILD_COMMANDS } from "../../machine/child-commands.ts";
import type { Clock } from "../../machine/machine.ts";
import { describeFault } from "../../problems/causes/transfer.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import type { Voice } from "../../problems/voice.ts";
import { createWaitNotice } from "../../problems/wait-notice.ts";
import { type DownloadNews, type DownloadOrder, decodeNews, encodeOrder } from "./order.ts";

/** What waits for a download. */
export interface DownloadContext {
  readonly machine: Children & Pick<Clock, "nowMs">;
  readonly voice: Voice;
}

/** A file that was downloaded. */
export interface Downloaded {
  readonly url: string;
  readonly bytes: number;
}

const NOTICE_EVERY_MS = 1000;
/** Without a new byte for so long, it is a wait: said with `quiet` too when it lasts. */
const STALLED_MS = 3000;
/** A report comes five times a second; the first one when the runtime has started, on a slow machine too. */
const SILENCE_MS = 60_000;

/** Downloads a file by another process, which may crash or be stopped without harm to the boot. `name` is for the messages. Throws BootError. */
export function downloadFile({ machine, voice }: DownloadContext, order: DownloadOrder, name: string): Downloaded {
  const child = machine.startChild(CHILD_COMMANDS.download);
  const show = createProgress(machine, voice, name, order.patienceMs);
  try {
    for (let next: DownloadOrder | null = order; ; next = null) {
      child.order(encodeOrder(next));
      const news = awaitNews(child, name);
      for (const note of news.notes) voice.progress(printable(note));
      for (const { url, fault } of news.failures) {
        if (news.state !== "failed") voice.warn(printable(`${url}: ${describeFault(fault)}, trying again`));
      }
      if (news.state === "done") return { url: news.url ?? "", bytes: news.doneBytes };
      if (news.state === "failed") throw problem("download-failed", { name, failures: news.last });
      show(news);
    }
  } finally {
    child.stop();
  }
}

function awaitNews(child: Child, name: string): DownloadNews {
  const news = child.answer(SILENCE_MS);
  if (news.kind === "answer") return decodeNews(news.bytes);
  throw problem("download-process-ended", { name, status: news.kind === "gone" ? news.status : null });
}

/** Returns what is called with each report: it says once a second how far the download is, or what is waited for. */
function createProgress(
  machine: Pick<Clock, "nowMs">,
  voice: Voice,
  name: string,
  patienceMs: number | null,
): (news: DownloadNews) => void {
  let [lastMs, lastBytes] = [machine.nowMs(), 0];
  let [gainMs, most] = [lastMs, 0];
  let notice = createWaitNotice(voice, STALLED_MS);
  return (news) => {
    const { doneBytes, totalBytes } = news;
    const nowMs = machine.nowMs();
    if (doneBytes > most) {
      [gainMs, most] = [nowMs, doneBytes];
      notice = createWaitNotice(voice, STALLED_MS);
    }
    if (nowMs - gainMs >= STALLED_MS) return void notice(name, nowMs - gainMs, patienceMs, () => describeSilence(news));
    if (nowMs - lastMs < NOTICE_EVERY_MS) return;
    const speed = Math.max(0, ((doneBytes - lastBytes) * 1000) / (nowMs - lastMs));
    [lastMs, lastBytes] = [nowMs, doneBytes];
    voice.progress(printable(`downloading ${name}, ${describeProgress(doneBytes, totalBytes, speed)}`));
  };
}

function describeSilence({ url, doneBytes }: DownloadNews): string {
  const what = doneBytes === 0 ? "has sent nothing" : `has sent no more than ${formatBytes(doneBytes)}`;
  return printable(`${url ?? "the server"} ${what}`);
}

/** Says how far a download is; `speed` in bytes a second. */
export function describeProgress(doneBytes: number, totalBytes: number | null, speed: number): string {
  const rate = `${formatBytes(speed)}/s`;
  if (totalBytes === null) return `${formatBytes(doneBytes)}, ${rate}`;
  const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes * 100) / totalBytes);
  const left = speed > 0 ? `, ${Math.ceil((totalBytes - doneBytes) / speed)} s left` : "";
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} (${percent} %), ${rate}${left}`;
}
