import { byHand, diagnosis } from "../diagnosis.ts";
import { printable } from "../report.ts";
import { formatBytes } from "../size.ts";

/** What stops `levain sync` and `levain factory-reset`. */
export const SYNC = {
  "sync-no-branch": diagnosis<{ path: string | null }>({
    text: ({ path }) =>
      path === null
        ? "no directory of this system has changes in memory above a persistent layer"
        : `${path} has no changes in memory above a persistent layer`,
    hints: () => [
      byHand("boot with such a layer: rd.overlay=DEVICE rd.overlay.readonly, or rd.union=DIR:size=SIZE:DEVICE"),
    ],
  }),
  "sync-locked": diagnosis<{ branch: string }>({
    text: ({ branch }) => `another levain sync is writing to ${branch}`,
    hints: () => [byHand("wait until it has ended")],
  }),
  "sync-too-deep": diagnosis<{ path: string; bytes: number }>({
    text: ({ path, bytes }) => `a path has more than ${formatBytes(bytes)}: ${printable(path.slice(0, 200))}…`,
    hints: () => [byHand("remove the directory, or move it up")],
  }),
  "sync-not-writable": diagnosis<{ directory: string; isOldKernel: boolean }>({
    text: ({ directory }) => `could not write to the persistent layer at ${directory}`,
    reasons: ({ isOldKernel }) => (isOldKernel ? ["this needs Linux 5.12 or newer"] : []),
    hints: ({ isOldKernel }) =>
      isOldKernel ? [] : [byHand("check whether the medium is write-protected, and what the kernel says: dmesg")],
  }),
  "sync-no-space": diagnosis<{ bytes: number; freeBytes: number }>({
    text: ({ bytes, freeBytes }) =>
      `the persistent layer has too little space: the changes take up to ${formatBytes(bytes)}, and ${formatBytes(freeBytes)} are free`,
    reasons: () => ["nothing has been changed there"],
    hints: () => [byHand("remove files, or sync a part of the changes only: levain sync DIR")],
  }),
};
