import { byHand, diagnosis } from "../../diagnosis.ts";
import { printable } from "../../report.ts";
import { formatBytes } from "../../size.ts";

const NOT_WRITABLE = {
  "old-kernel": { reasons: ["this needs Linux 5.12 or newer"], cure: "boot a newer kernel" },
  "image-file": {
    reasons: ["it lies in an image file whose loop device is read-only, and no call makes a loop device writable"],
    cure: "boot without rd.overlay.readonly, which writes changes there at once, or use a partition instead of the file",
  },
  journal: {
    reasons: [
      "it was not unmounted, and this boot has not replayed its journal",
      "the next boot would undo what is written there now",
    ],
    cure: "save what is in memory elsewhere, and boot once without rd.overlay.readonly: that replays the journal",
  },
  unknown: { reasons: [], cure: "check whether the medium is write-protected, and what the kernel says: dmesg" },
} as const;

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
  "sync-not-writable": diagnosis<{ directory: string; why: "old-kernel" | "image-file" | "journal" | null }>({
    text: ({ directory }) => `could not write to the persistent layer at ${directory}`,
    reasons: ({ why }) => NOT_WRITABLE[why ?? "unknown"].reasons,
    hints: ({ why }) => [byHand(NOT_WRITABLE[why ?? "unknown"].cure)],
  }),
  "sync-no-space": diagnosis<{ bytes: number; freeBytes: number }>({
    text: ({ bytes, freeBytes }) =>
      `the persistent layer has too little space: the changes take up to ${formatBytes(bytes)}, and ${formatBytes(freeBytes)} are free`,
    reasons: () => ["nothing has been changed there"],
    hints: () => [byHand("remove files, or sync a part of the changes only: levain sync DIR")],
  }),
};
