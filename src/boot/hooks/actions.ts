import * as v from "valibot";
import { decodeText } from "../../formats/text.ts";
import { describeKind } from "../../machine/file-kinds.ts";
import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";

/** When a hook is called: its first argument. */
export type Moment = "before" | "after";

const PATH = v.pipe(v.string(), v.startsWith("/"));

/** One of what a hook without a program can do. */
const ACTION = v.union([
  v.strictObject({ say: v.string() }),
  v.strictObject({ write: PATH, text: v.string() }),
  v.strictObject({ "make-directory": PATH }),
  v.strictObject({ link: PATH, to: v.string() }),
]);

const ACTIONS = v.strictObject({ before: v.optional(v.array(ACTION), []), after: v.optional(v.array(ACTION), []) });

type Actions = v.InferOutput<typeof ACTIONS>;

/** Reads a hook of the form NAME.toml: tables `[[before]]` and `[[after]]`. Returns what is wrong with it, if so. */
export function readActions(bytes: Uint8Array): Actions | string {
  let content: unknown;
  try {
    content = Bun.TOML.parse(decodeText(bytes));
  } catch (error) {
    return `is no TOML: ${printable(error instanceof Error ? error.message : String(error))}`;
  }
  const result = v.safeParse(ACTIONS, content, { abortEarly: true });
  if (result.success) return result.output;
  const at = v.getDotPath(result.issues[0]) ?? "the file";
  return `${printable(at)} is no action: say; write and text; make-directory; link and to (paths begin with /)`;
}

/** Carries out the actions for a moment. Returns what is wrong, or null. Throws SyscallError. */
export function carryOut(machine: Machine, voice: Voice, actions: Actions | string, moment: Moment): string | null {
  if (typeof actions === "string") return actions;
  for (const action of actions[moment]) {
    if ("say" in action) voice.progress(printable(action.say), { isUrgent: true });
    else if ("write" in action) {
      // Opening anything else may block: a FIFO without a reader, a serial port without a carrier.
      const { kind } = machine.stat(action.write) ?? { kind: "file" };
      if (kind !== "file") return `${printable(action.write)} is ${describeKind(kind)}: only a program can write to it`;
      machine.writeFile(action.write, action.text);
    } else if ("link" in action) machine.makeSymlink(action.to, action.link);
    else machine.makeDirectory(action["make-directory"]);
  }
  return null;
}
