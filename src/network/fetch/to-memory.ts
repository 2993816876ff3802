import type { Context } from "../../drivers/context.ts";
import { makePlace } from "../../filesystems/mount.ts";
import { readAvailableMemory, readTotalMemory } from "../../machine/small-files.ts";
import type { ImageDigest } from "../../parameters/checks.ts";
import type { DownloadPlan } from "../../plan/downloads/plan.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { describeFree, formatBytes } from "../../problems/size.ts";
import { setClock } from "./clock.ts";
import { downloadFile } from "./download.ts";
import { readSignedDigest } from "./signed-digest.ts";

/** A system needs at least this much besides the file. */
const KEEP_FREE_BYTES = 64 << 20;

/** A download to a tmpfs. */
interface MemoryOrder {
  readonly download: DownloadPlan;
  readonly digest: ImageDigest | null;
  /** The URL of a signed list of checksums that decides; null for none. */
  readonly signedList: string | null;
  /** A digest, a root hash or a signature decides whether it is used. */
  readonly isVerified: boolean;
  /** Where the tmpfs is mounted. */
  readonly directory: string;
  readonly timeoutMs: number | null;
  /** NTP servers, for a clock that is wrong. */
  readonly timeServers: readonly string[];
}

/** Downloads a file to a tmpfs that it mounts for it. Returns what was downloaded, in words. Throws BootError. */
export function downloadToMemory(context: Context, memory: MemoryOrder): string {
  const { download, signedList, isVerified, directory, timeoutMs: patienceMs } = memory;
  const { machine, voice, undo } = context;
  const { urls, path, proxy } = download;
  const name = path.slice(1);
  const freeBytes = readAvailableMemory(machine) ?? Number.MAX_SAFE_INTEGER;
  const limitBytes = freeBytes - KEEP_FREE_BYTES;
  if (limitBytes <= 0) {
    throw problem("download-without-room", { name, free: describeFree(freeBytes, readTotalMemory(machine)) });
  }
  if (!isVerified) warnOfOpenTransport(context, urls);
  const timeServers = setClock(machine, voice) ? memory.timeServers : [];
  const terms = { patienceMs, proxy, timeServers };
  const digest =
    signedList === null
      ? memory.digest
      : readSignedDigest({ machine, voice }, { ...terms, url: signedList, name, digest: memory.digest });
  makePlace(machine, directory);
  machine.mount({
    source: "tmpfs",
    target: directory,
    type: "tmpfs",
    flags: [],
    options: `mode=0755,size=${limitBytes}`,
  });
  undo(() => machine.unmount(directory));
  const startMs = machine.nowMs();
  const order = { ...terms, urls, path: `${directory}${path}`, limitBytes, digest };
  const { url, bytes } = downloadFile({ machine, voice }, order, name);
  const seconds = (machine.nowMs() - startMs) / 1000;
  const speed = seconds > 0 ? `, ${formatBytes(bytes / seconds)}/s` : "";
  return printable(`${url}, ${formatBytes(bytes)}${speed}`);
}

/** Anyone between the machine and the server can replace what TLS does not protect. */
function warnOfOpenTransport({ voice }: Context, urls: readonly string[]): void {
  if (urls.every((url) => url.startsWith("https:"))) return;
  voice.warn("nothing protects the download from changes in transit: use https://, rd.image.digest= or rd.image.sig");
}
