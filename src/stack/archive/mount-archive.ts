import type { Context } from "../../drivers/context.ts";
import { makePlace } from "../../filesystems/mount.ts";
import type { Child } from "../../machine/child.ts";
import { CHILD_COMMANDS } from "../../machine/child-commands.ts";
import { readAvailableMemory, readTotalMemory } from "../../machine/small-files.ts";
import type { ImageDigest } from "../../parameters/checks.ts";
import type { MemoryRoot } from "../../parameters/sources/memory-root.ts";
import { orProblem, problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { describeFree, formatBytes } from "../../problems/size.ts";
import { createWaitNotice } from "../../problems/wait-notice.ts";
import { createProgress } from "../verify/progress.ts";
import { decodeNews, encodeOrder, type UnpackNews, type UnpackOrder } from "./order.ts";

/** A system needs at least this much besides the tree. */
const KEEP_FREE_BYTES = 64 << 20;
/** Without progress for so long, it is a wait for the medium. */
const STALLED_MS = 3000;
/** The process reports five times a second, but the medium or the runtime may hold it up. */
const TURN_MS = 1000;

/** An archive that becomes a tree in memory. */
export interface Archive {
  /** As the user knows it: its path on the medium. */
  readonly path: string;
  /** The path to it from the initramfs. */
  readonly file: string;
  /** Where the tree is mounted. */
  readonly place: string;
  readonly memory: MemoryRoot;
  readonly digest: ImageDigest | null;
  /** How long to wait for a medium that does not answer; null: no limit. */
  readonly timeoutMs: number | null;
}

/** Unpacks an archive into a tmpfs or ramfs that it mounts for it. Returns what was unpacked, in words. Throws BootError. */
export function mountArchive(context: Context, archive: Archive): string {
  const { machine, voice, undo } = context;
  const { path, file, place, memory, digest } = archive;
  const name = printable(path);
  const bytes = machine.stat(file)?.size ?? 0;
  const freeBytes = readAvailableMemory(machine) ?? Number.MAX_SAFE_INTEGER;
  const free = describeFree(freeBytes, readTotalMemory(machine));
  const limitBytes = freeBytes - KEEP_FREE_BYTES;
  if (limitBytes <= 0) throw problem("archive-without-room", { path, free });
  voice.progress(`unpacking ${name} (${formatBytes(bytes)}) to memory, of which ${free}`);
  makePlace(machine, place);
  const options = memory.size === null ? "mode=0755" : `mode=0755,size=${memory.size}`;
  orProblem("tmpfs-refused", { target: place }, () =>
    machine.mount({ source: memory.type, target: place, type: memory.type, flags: [], options }),
  );
  undo(() => machine.unmount(place));
  const news = unpack(context, archive, { archive: file, target: place, limitBytes, digest }, bytes);
  if (news.lost.length > 0) {
    voice.warn(`a ${memory.type} does not keep these extended attributes: ${news.lost.map(printable).join(", ")}`);
  }
  return `${name} (${news.entries} entries, ${formatBytes(news.unpackedBytes)}, in a ${memory.type})`;
}

function unpack(
  { machine, voice }: Context,
  { path, timeoutMs }: Archive,
  order: UnpackOrder,
  bytes: number,
): UnpackNews {
  const child = machine.startChild(CHILD_COMMANDS.unpack);
  const watch = createWatch({ machine, voice }, path, timeoutMs, bytes);
  try {
    child.order(encodeOrder(order));
    for (;;) {
      const news = awaitNews(child, path);
      watch(news);
      if (news === null) continue;
      if (news.state === "done") return news;
      if (news.state !== "running") throw problem("archive-refused", { path, fault: news.state });
      child.order(encodeOrder(null));
    }
  } finally {
    child.stop();
  }
}

/** Returns what is called with each report, and null while none comes: it says how far the archive is, or what is waited for. Throws BootError when the time is up. */
function createWatch(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  path: string,
  timeoutMs: number | null,
  bytes: number,
): (news: UnpackNews | null) => void {
  const name = printable(path);
  const showProgress = createProgress({ machine, voice }, `unpacking ${name}`, bytes);
  const notice = createWaitNotice(voice, STALLED_MS);
  let [gainMs, most] = [machine.nowMs(), 0];
  return (news) => {
    const sum = news === null ? 0 : news.doneBytes + news.unpackedBytes;
    if (news !== null && sum > most) {
      [gainMs, most] = [machine.nowMs(), sum];
      return showProgress(news.doneBytes);
    }
    const waitedMs = machine.nowMs() - gainMs;
    if (waitedMs >= STALLED_MS)
      notice(name, waitedMs, timeoutMs, () =>
        most === 0 ? "nothing of it was read yet" : "no more of it can be read",
      );
    if (timeoutMs !== null && waitedMs >= timeoutMs) {
      throw problem("archive-stalled", { path, seconds: timeoutMs / 1000 });
    }
  };
}

/** Returns the next report; null if none has come yet. */
function awaitNews(child: Child, path: string): UnpackNews | null {
  const news = child.answer(TURN_MS);
  if (news.kind === "gone") throw problem("archive-process-ended", { path, status: news.status });
  return news.kind === "busy" ? null : decodeNews(news.bytes);
}
