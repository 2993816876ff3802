import type { Machine } from "../../src/machine/machine.ts";
import type { ApartMounts, MountRequest } from "../../src/machine/mounts.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { takeAnswer } from "./fake-kernel-calls.ts";

/** What another process mounts is seen here at the same place, which nobody else uses. */
export function fakeMountApart(
  kernel: FakeKernel,
  { stat, mount, unmount }: Pick<Machine, "stat" | "mount" | "unmount">,
): ApartMounts {
  let due: { readonly atMs: number; readonly request: MountRequest } | null = null;
  let mounted: string | null = null;
  let last: MountRequest | null = null;
  let device: ReturnType<FakeKernel["devices"]["byNumber"]>;
  /** The mount that another process would keep: here it would be in the way of others. */
  let parked: MountRequest | null = null;
  const park = () => {
    if (mounted !== null) unmount(mounted);
    mounted = null;
    parked = last;
  };
  const touched = new Set<string>();
  let touching: { readonly atMs: number; readonly key: string } | null = null;
  return {
    touch(path, look, timeoutMs) {
      const key = `${look} ${path}`;
      const delayMs = device?.looksAfterMs ?? 0;
      while (!touched.has(key)) {
        touching ??= { atMs: kernel.nowMs + delayMs, key };
        kernel.answers.add(touching);
        if (!takeAnswer(kernel, touching, timeoutMs)) {
          park();
          throw new SyscallError("read", "ETIMEDOUT", path);
        }
        touched.add(touching.key);
        touching = null;
      }
    },
    mount(request, timeoutMs) {
      if (parked !== null) {
        mount(parked);
        mounted = parked.target;
        parked = null;
      }
      if (mounted !== null) return mounted;
      device = kernel.devices.byNumber(stat(request.source)?.represents ?? null);
      const delayMs = device?.mountsAfterMs ?? 0;
      due ??= { atMs: kernel.nowMs + delayMs, request };
      kernel.answers.add(due);
      if (!takeAnswer(kernel, due, timeoutMs)) throw new SyscallError("mount", "ETIMEDOUT", request.target);
      const { request: asked } = due;
      due = null;
      mount(asked);
      last = asked;
      mounted = asked.target;
      return mounted;
    },
    close(onEnd = () => undefined) {
      if (due !== null) kernel.answers.delete(due);
      if (touching !== null) kernel.answers.delete(touching);
      if (mounted !== null) unmount(mounted);
      mounted = null;
      // The process ends when the disk has answered.
      kernel.happenAt(Math.max(kernel.nowMs, due?.atMs ?? 0, touching?.atMs ?? 0), onEnd);
    },
  };
}
