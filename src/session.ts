import { boot } from "./boot.ts";
import type { Inherited } from "./config/inherited.ts";
import { makePlan } from "./config/make-plan.ts";
import { type Manifest, parseManifest } from "./config/manifest.ts";
import type { BootPlan } from "./config/plan.ts";
import { readRescuePolicy } from "./config/rescue-policy.ts";
import { type Console, createConsole } from "./console.ts";
import { type BootRecord, createRecord, saveRecord } from "./journal.ts";
import type { Handover, Machine } from "./machine/machine.ts";
import { report } from "./report.ts";
import { applyPolicy, runBreakShell } from "./rescue.ts";
import { createStepRunner } from "./step-runner.ts";
import { loadAllDrivers } from "./steps/modules.ts";

/** `levain retry` in a shell before a step (rd.break=) was given parameters: not a failure, but everything is planned again. */
class RestartError extends Error {
  readonly parameters: readonly string[];

  constructor(parameters: readonly string[]) {
    super("the boot begins again with other parameters");
    this.parameters = parameters;
  }
}


/** Boots, however often it takes: every failure is told and left to the failure policy, and the boot goes on where it stopped. */
export function runBoot(machine: Machine, version: string, inherited: Inherited): Handover {
  const record = createRecord(version);
  const console = createConsole(machine, record);
  let plan: BootPlan | null = null;
  let added: readonly string[] = [];
  const runner = createStepRunner(machine, record, {
    before: (name) => {
      if (plan?.rescue.breaks.includes(name) !== true || !plan.rescue.shell) return;
      loadKeyboards(machine, plan, console);
      const words = runBreakShell(machine, name, console);
      if (words.length > 0) throw new RestartError(words);
    },
    after: (step) => console.step(step),
  });
  const readPlan = () => {
    plan = plan ?? readPlanOnce(machine, { record, console, inherited, added });
    return plan;
  };
  const recover = (error: unknown) => {
    tell(machine, record, console, error);
    if (plan?.rescue.shell === true) loadKeyboards(machine, plan, console);
    return applyPolicy(machine, plan?.rescue ?? decideWithoutPlan(machine), console);
  };
  for (;;) {
    try {
      const handover = boot({ machine, voice: console, step: runner.run, readPlan });
      record.state = "handed over";
      saveRecord(machine, record, handover.root === "/" ? "" : handover.root);
      return handover;
    } catch (error) {
      const words = error instanceof RestartError ? error.parameters : recover(error);
      record.state = "booting";
      if (words.length > 0) {
        added = [...added, ...words];
        plan = null;
        runner.rewind("prepare");
      }
    }
  }
}

function readPlanOnce(
  machine: Machine,
  parts: { readonly record: BootRecord; readonly console: Console; readonly inherited: Inherited; readonly added: readonly string[] },
): BootPlan {
  const { record, console, inherited, added } = parts;
  const cmdline = readCommandLine(machine);
  record.commandLine = new TextDecoder().decode(cmdline).trimEnd();
  record.kernel = machine.release().release;
  const { plan, warnings } = makePlan({ cmdline, manifest: readManifest(machine), inherited, added });
  console.obey(plan.talk);
  console.say(`levain ${record.levain} on Linux ${record.kernel}`);
  for (const warning of warnings) console.warn(warning);
  return plan;
}

function tell(machine: Machine, record: BootRecord, console: Console, error: unknown): void {
  const lines = report(error);
  record.failure = lines;
  record.state = "rescue";
  console.trouble(["", ...lines]);
  saveRecord(machine, record);
}

/** A boot loads no more drivers than it needs: the person at the shell may need others. Whatever goes wrong here must not take the shell away. */
function loadKeyboards(machine: Machine, plan: BootPlan, console: Console): void {
  try {
    loadAllDrivers(machine, plan.modules, console);
  } catch (error) {
    console.trouble(report(error));
  }
}

/** What the command line and the image say of failures where the rest of them is mistaken: `rdshell=0` holds even then. */
function decideWithoutPlan(machine: Machine): BootPlan["rescue"] {
  try {
    return readRescuePolicy(readCommandLine(machine), readManifest(machine));
  } catch {
    return readRescuePolicy(readCommandLine(machine)); // the manifest is damaged
  }
}

function readManifest(machine: Machine): Manifest | null {
  const path = "/etc/levain.json";
  return machine.stat(path) === null ? null : parseManifest(machine.readFile(path));
}

/** Its bytes, for a label on it need not be UTF-8; empty where /proc cannot be read: then nothing was asked for. */
function readCommandLine(machine: Machine): Uint8Array {
  try {
    return machine.readFile("/proc/cmdline");
  } catch {
    return new Uint8Array();
  }
}
