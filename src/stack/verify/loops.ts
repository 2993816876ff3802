import type { Context } from "../../drivers/context.ts";
import type { Loader } from "../../drivers/make-loader.ts";
import type { Machine } from "../../machine/machine.ts";
import type { LoopRequest } from "../../machine/storage/loops.ts";
import { orProblem } from "../../problems/problem.ts";

/** Attaches a file, or a part of it, to a loop device; returns its node. The caller detaches it. Throws BootError. */
export function attachLoop(
  { machine, drivers }: { readonly machine: Machine; readonly drivers: Pick<Loader, "loadByName"> },
  request: LoopRequest,
): string {
  const hasLoops = () => machine.stat("/dev/loop-control") !== null;
  if (!hasLoops()) drivers.loadByName("loop");
  return orProblem("loop-refused", { path: request.file, hasLoops: hasLoops() }, () => machine.attachLoop(request));
}

/** Attaches a whole file, read-only; the undo of the step detaches it. */
export function attachFile(context: Context, file: string): string {
  const node = attachLoop(context, { file, readOnly: true });
  context.undo(() => context.machine.detachLoop(node));
  return node;
}
