import { KERNEL_INITS } from "../../boot/steps/init.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { Voice } from "../../problems/voice.ts";
import { findEntry, type ImageTree, putEntry } from "../archive/tree.ts";

/** Returns the entry at a path of an image, symbolic links followed. */
type Find = (path: string) => { readonly kind: string; readonly mode?: number } | null | undefined;

/** Returns what the kernel would start from an image if it could not start /init (kernel_init of init/main.c), in its order. */
export function findFallbacks(find: Find): readonly string[] {
  return KERNEL_INITS.filter((path) => {
    const there = find(path);
    return there?.kind === "file" && ((there.mode ?? 0) & 0o111) !== 0;
  });
}

/** Describes them for the user; null if there are none. */
export function describeFallbacks(fallbacks: readonly string[]): string | null {
  if (fallbacks.length === 0) return null;
  const which = fallbacks.length === 1 ? fallbacks[0] : `${fallbacks.slice(0, -1).join(", ")} or ${fallbacks.at(-1)}`;
  return `if the kernel cannot start /init, it starts ${which}, regardless of rdshell=`;
}

/** Returns a warning for each way to a shell in an image whose own parameters lock the shell. */
export function warnOfWaysIn(fallbacks: readonly string[]): readonly string[] {
  const fallback = describeFallbacks(fallbacks);
  return fallback === null ? [] : [`${fallback}: leave it out of the image`];
}

const BUSYBOX = "/bin/busybox";

/** Finds the ways to a shell that levain does not control; warns if the image's own parameters lock the shell. */
export function findWaysIn(tree: ImageTree, shell: BootPlan["rescue"]["shell"], voice: Voice) {
  const fallbacks = findFallbacks((path) => findEntry(tree, path));
  if (shell === false || shell === "ask") for (const warning of warnOfWaysIn(fallbacks)) voice.warn(warning);
  return { fallbacks, hasBusybox: tree.has(BUSYBOX), asksPassword: shell === "ask" };
}

/** The kernel would start BusyBox for rdinit=/bin/busybox: levain makes it executable when it boots. */
export function lockBusybox(tree: ImageTree, shell: BootPlan["rescue"]["shell"]): void {
  const entry = tree.get(BUSYBOX);
  if (entry?.kind === "file" && (shell === false || shell === "ask")) putEntry(tree, { ...entry, mode: 0o644 });
}
