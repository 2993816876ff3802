import type { ApartMounts, Machine, MountRequest } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** What another process mounts is seen here at the same place, which nobody else uses. */
export function fakeMountApart(
  kernel: FakeKernel,
  { stat, mount, unmount }: Pick<Machine, "stat" | "mount" | "unmount">,
): ApartMounts {
  let due: { readonly atMs: number; readonly request: MountRequest } | null = null;
  let mounted: string | null = null;
  return {
    mount(request, timeoutMs) {
      const delayMs = kernel.devices.byNumber(stat(request.source)?.represents ?? null)?.mountsAfterMs ?? 0;
      due ??= { atMs: kernel.nowMs + delayMs, request };
      kernel.answers.add(due);
      if (due.atMs > kernel.nowMs) kernel.waitUntil(Math.min(due.atMs, kernel.nowMs + timeoutMs));
      if (due.atMs > kernel.nowMs) throw new SyscallError("mount", "ETIMEDOUT", request.target);
      kernel.answers.delete(due);
      const { request: asked } = due;
      due = null;
      mount(asked);
      mounted = asked.target;
      return mounted;
    },
    close() {
      if (due !== null) kernel.answers.delete(due);
      if (mounted !== null) unmount(mounted);
      mounted = null;
    },
  };
}
