import type { Context } from "../../drivers/context.ts";
import type { StorePolicy } from "../../parameters/stack/overlay.ts";
import { BootError, isErrno, tolerateRefusal } from "../../problems/errors.ts";
import { sentence } from "../../problems/report.ts";
import { askYesOrNo } from "../../prompt/yes-or-no.ts";

/** Does `act`; if it throws, what it did is undone at once, and not only when the step fails. */
export function attempt<T>(context: Context, act: (context: Context) => T): T {
  const takeBacks: (() => void)[] = [];
  try {
    const value = act({ ...context, undo: (takeBack) => takeBacks.push(takeBack) });
    for (const takeBack of takeBacks) context.undo(takeBack);
    return value;
  } catch (error) {
    for (const takeBack of takeBacks.toReversed()) tolerateRefusal(takeBack);
    throw error;
  }
}

/** Does `act`; null, after a warning that ends with `loss`, if it fails and the policy lets the boot go on without it. */
export function orGoOn<T>(context: Context, policy: StorePolicy, loss: string, act: (context: Context) => T): T | null {
  try {
    return attempt(context, act);
  } catch (error) {
    if (!isReported(error) || !mayFallBack(context, policy, error)) throw error;
    context.voice.warn(`${sentence(error)}: ${loss}`);
    return null;
  }
}

/** True for what a boot may go on without: a refusal of the kernel, or a problem that a report explains. */
function isReported(error: unknown): error is Error {
  return error instanceof BootError || isErrno(error);
}

/** True if changes may go to memory: by the policy, or by the answer of a person. */
export function mayFallBack({ machine, voice }: Context, policy: StorePolicy, error: Error): boolean {
  if (policy !== "ask") return policy === "fallback";
  voice.warn(sentence(error));
  return askYesOrNo(machine, "changes", "keep changes in memory, where they are lost at shutdown?") === true;
}
