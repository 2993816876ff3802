import { KERNEL_INITS } from "../../boot/steps/init.ts";

/** What is at a path of an image, symbolic links followed; null or undefined where nothing is. */
type Find = (path: string) => { readonly kind: string; readonly mode?: number } | null | undefined;

/** Of an image, what the kernel would start as process 1 if it could not start /init (kernel_init of init/main.c), in its order. */
export function findFallbacks(find: Find): readonly string[] {
  return KERNEL_INITS.filter((path) => {
    const there = find(path);
    return there?.kind === "file" && ((there.mode ?? 0) & 0o111) !== 0;
  });
}

/** What a person should know of them; null where there are none. */
export function describeFallbacks(fallbacks: readonly string[]): string | null {
  if (fallbacks.length === 0) return null;
  const which = fallbacks.length === 1 ? fallbacks[0] : `the first of ${fallbacks.join(", ")} that it can`;
  return `the kernel starts ${which} if it cannot start /init, whatever rdshell= says`;
}

/** A line for each way to a shell that an image leaves open although its own parameters forbid one. */
export function warnOfWaysIn(fallbacks: readonly string[], hasBusybox: boolean): readonly string[] {
  const fallback = describeFallbacks(fallbacks);
  return [
    ...(fallback === null ? [] : [`${fallback}: leave it out of this image`]),
    ...(hasBusybox
      ? ["rdinit=/bin/busybox on the kernel command line starts a shell in spite of rdshell=0: leave BusyBox out"]
      : []),
  ];
}
