import type { Context } from "../../drivers/context.ts";
import { linkShell } from "../../filesystems/busybox.ts";
import { runWithin } from "../../filesystems/run-apart.ts";
import type { BootRecord } from "../../log/boot-record.ts";
import type { Child } from "../../machine/child.ts";
import type { StepName } from "../../parameters/values.ts";
import { orIfRefused, unlessRefused } from "../../problems/errors.ts";
import { describeRefusal, printable } from "../../problems/report.ts";
import { ROOT } from "../../stack/root-stack.ts";
import { carryOut, type Moment, readActions } from "./actions.ts";

/** Where an image has its hooks: a directory NAME.d for each step, and failure.d. */
export const HOOKS = "/etc/levain/hooks";

/** A step, or the end of a boot that failed. */
export type HookPoint = StepName | "failure";

/** The limit of one hook: a boot must go on without it. */
const LIMIT_MS = 30_000;

interface HookContext extends Pick<Context, "machine" | "voice"> {
  readonly record: BootRecord;
  /** Of hooks of a failure: those that have left daemons. */
  readonly left: Child[];
}

/**
 * What a boot calls for the hooks of the image; each call does nothing if the image has none, or they are not wanted. A hook that fails
 * is a warning: what the boot needs is for levain to decide. Nothing of it throws but `first`, which comes before the hooks.
 */
export function createHooks(surroundings: Omit<HookContext, "left">, areWanted: () => boolean) {
  const context: HookContext = { ...surroundings, left: [] };
  const call = (point: HookPoint, moment: Moment) => {
    if (context.machine.stat(HOOKS) !== null && areWanted()) runHooks(context, point, moment);
  };
  return {
    /** Before "prepare" nothing is known of the command line. */
    beforeStep(name: StepName, first: () => unknown) {
      first();
      if (name !== "prepare") call(name, "before");
    },
    /** After the handover /dev and /proc are elsewhere. */
    afterStep(name: StepName, first: () => unknown) {
      first();
      if (name !== "handover") call(name, "after");
    },
    /** Before `act`, which returns if the boot goes on: their daemons end then, as one may be a shell, and volumes will be open again. */
    aroundFailure<T>(act: () => T): T {
      call("failure", "after");
      const result = act();
      for (const child of context.left.splice(0)) child.stop("with daemons");
      return result;
    },
  };
}

/** Runs the hooks of a step, in the order of their names. */
function runHooks(context: HookContext, point: HookPoint, moment: Moment): void {
  const { machine, voice } = context;
  const directory = `${HOOKS}/${point}.d`;
  for (const name of orIfRefused(() => machine.listDirectory(directory), [])) {
    const trouble = unlessRefused(() => runHook(context, `${directory}/${name}`, { point, moment }), describeRefusal);
    if (trouble !== null) voice.warn(`hook ${point}.d/${printable(name)} (${moment}): ${trouble}`);
  }
}

interface Occasion {
  readonly point: HookPoint;
  readonly moment: Moment;
}

/** Returns what went wrong, or null. */
function runHook(context: HookContext, path: string, occasion: Occasion): string | null {
  const { machine, voice } = context;
  const status = machine.stat(path);
  if (status?.kind !== "file") return "is no file";
  if (path.endsWith(".toml")) return carryOut(machine, voice, readActions(machine.readFile(path)), occasion.moment);
  if ((status.mode & 0o111) === 0) return "is neither executable nor named NAME.toml";
  linkShell(machine);
  const { point, moment } = occasion;
  const order = {
    argv: [path, moment],
    environment: { LEVAIN_STEP: point, LEVAIN_MOMENT: moment, LEVAIN_ROOT: ROOT },
    input: describe(context.record, occasion),
  };
  const keep = point === "failure" ? (child: Child) => void context.left.push(child) : null;
  const result = runWithin(context, order, LIMIT_MS, `the hook ${printable(path.slice(HOOKS.length + 1))}`, keep);
  if (result === null) return `did not end within ${LIMIT_MS / 1000} s, and was stopped`;
  const lines = result.output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(printable);
  for (const line of lines) voice.debug(`${point}.d: ${line}`);
  return result.status === 0 ? null : [`status ${result.status}`, ...lines.slice(-1)].join(": ");
}

/** What a hook reads from its standard input. The command line in it has no passwords. */
function describe({ levain, kernel, commandLine, steps, failure }: BootRecord, { point, moment }: Occasion): string {
  return `${JSON.stringify({ version: 1, levain, kernel, commandLine, step: point, moment, root: ROOT, steps, failure })}\n`;
}
