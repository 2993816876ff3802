import { withReader } from "../devices/block-devices.ts";
import { readActiveEsp } from "../filesystems/active-esp.ts";
import { decodeText } from "../formats/text.ts";
import type { BootRecord } from "../log/boot-record.ts";
import type { Console } from "../log/console.ts";
import type { Machine } from "../machine/machine.ts";
import type { Inherited } from "../parameters/inherited.ts";
import { hideSecret, hideSecrets } from "../parameters/secrets.ts";
import { makePlan } from "../plan/make-plan.ts";
import { type Manifest, parseManifest } from "../plan/manifest.ts";
import type { BootPlan } from "../plan/plan.ts";
import type { PlanInput } from "../plan/plan-input.ts";
import { type PlanOfRescue, planRescue, waitsForPerson } from "../plan/rescue-policy.ts";
import { BootError, isErrno, orIfFailed } from "../problems/errors.ts";
import { orProblem, problem } from "../problems/problem.ts";
import { headline } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { readImageParameters } from "./image-parameters.ts";
import { readMachineParameters } from "./machine-parameters.ts";
import { createSlotChooser } from "./tries/choose-slot.ts";
import { readBootedSlot } from "./tries/slot-file.ts";
import { describeAttempt, readAttempts } from "./tries/tries.ts";

/** What is known of a boot only when its network is up. */
export interface PlanAdditions {
  /** The parameters of the configuration that rd.config= names. */
  readonly fetchedParameters?: readonly string[];
  /** The root path of DHCP. */
  readonly rootPath?: string | null;
}

interface PlanReader {
  /** Reads the command line and the manifest and sets the console as they say; once, until parameters are added. Throws BootError. */
  read(): BootPlan;
  /** Returns what `read` returned; null before that. */
  current(): BootPlan | null;
  /** Returns what a failure needs, even if `read` failed: `rdshell=0` holds even then. */
  currentOrLess(): PlanOfRescue;
  /** Plans again, with what is known now. Throws BootError. */
  readAgain(additions: PlanAdditions): BootPlan;
  /** Returns all that `add` was given. */
  added(): readonly string[];
  /** Makes the next `read` plan again, with more parameters. */
  add(parameters: readonly string[]): void;
}

const TALK_WITHOUT_PLAN: BootPlan["talk"] = { level: "normal", log: "all" };

/** Creates a reader of this machine's command line and manifest, which writes the command line and the kernel's release into the record. */
export function createPlanReader(
  machine: Machine,
  record: BootRecord,
  console: Console,
  inherited: Inherited | null,
): PlanReader {
  let plan: BootPlan | null = null;
  let added: readonly string[] = [];
  let warned: ReadonlySet<string> = new Set();
  const firstCmdline = orIfFailed(() => readCommandLine(machine), new Uint8Array());
  console.kernel.silence(TALK_WITHOUT_PLAN, firstCmdline);
  const chooseSlot = createSlotChooser(machine, console, () => planWithoutMistakes(machine).modules);
  const sayAttempts = ({ slots, rescue }: BootPlan) => {
    record.attempts = [...readAttempts(machine, console, slots, !waitsForPerson(rescue))];
    for (const attempt of record.attempts) console.say(describeAttempt(attempt));
  };
  const read = (additions: PlanAdditions | null): BootPlan => {
    const cmdline = readCommandLine(machine);
    const more = added.length > 0 ? ["· levain retry:", ...added.map(hideSecret)] : [];
    record.commandLine = [hideSecrets(decodeText(cmdline).trimEnd()), ...more].join(" ");
    record.kernel = machine.release().release;
    const made = planMachine(machine, console, { inherited, added, chooseSlot, ...additions });
    console.obey(made.plan.talk);
    console.kernel.silence(made.plan.talk, cmdline);
    if (additions === null) console.say(`levain ${record.levain} on Linux ${record.kernel}`);
    for (const warning of made.warnings.filter((text) => !warned.has(text))) console.warn(warning);
    warned = new Set(made.warnings);
    plan = made.plan;
    if (additions === null || made.plan.slots !== null) sayAttempts(made.plan);
    return plan;
  };
  return {
    read: () => plan ?? read(null),
    readAgain: read,
    current: () => plan,
    currentOrLess: () => plan ?? planWithoutMistakes(machine),
    added: () => added,
    add(parameters) {
      added = [...added, ...parameters];
      plan = null;
      warned = new Set();
    },
  };
}

/** Makes the plan of this machine's command line, manifest and crypttab. Throws BootError. */
export function planMachine(
  machine: Machine,
  voice: Voice,
  more: PlanAdditions & Partial<Pick<PlanInput, "inherited" | "added" | "chooseSlot">> = {},
): ReturnType<typeof makePlan> {
  const manifest = readManifest(machine);
  const input: PlanInput = {
    cmdline: readCommandLine(machine),
    manifest,
    machine: machine.release().machine,
    findEsp: () => readActiveEsp(machine, voice),
    chooseSlot: ({ slots }) => readBootedSlot(machine)?.booted ?? slots[0]?.name ?? "",
    imageParameters: readImageParameters(machine, voice),
    crypttab: readCrypttabOrWarn(machine, voice),
    hasFile: (path) => machine.stat(path)?.kind === "file",
    ...more,
  };
  const withoutTables = () => makePlan({ ...input, isPart: true }).plan;
  return makePlan({
    ...input,
    machineParameters: readMachineParameters(machine, voice, manifest, withoutTables),
  });
}

/** Ignores an unreadable crypttab like an unreadable line: the root may not need any volume of it. */
function readCrypttabOrWarn(machine: Machine, voice: Voice): string | null {
  try {
    return readCrypttab(machine);
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    voice.warn(`${headline(error)}, ignoring it`);
    return null;
  }
}

/** A read that fails was reported before. */
function planWithoutMistakes(machine: Machine): PlanOfRescue {
  const cmdline = orIfFailed(() => readCommandLine(machine), new Uint8Array());
  const manifest = orIfFailed(() => readManifest(machine), null);
  // What stage0 obeys is there even if the manifest is damaged: an image's rdshell=0 still holds.
  const imageWords = orIfFailed(() => machine.readFile("/etc/levain.cmdline"), new Uint8Array());
  return planRescue(cmdline, manifest, imageWords);
}

function readManifest(machine: Machine): Manifest | null {
  const path = "/etc/levain.json";
  return machine.stat(path) === null ? null : parseManifest(machine.readFile(path));
}

/** As bytes, because a label in it need not be UTF-8. */
function readCommandLine(machine: Machine): Uint8Array {
  return orProblem("command-line-unreadable", {}, () => machine.readFile("/proc/cmdline"));
}

const CRYPTTAB = "/etc/crypttab";
const MAX_KIB = 64;
/** A longer file is not read as a crypttab. */
export const MAX_CRYPTTAB_BYTES = MAX_KIB << 10;

/** Returns the text of the image's /etc/crypttab; null if it has none. Throws BootError if that is not a file, or longer than 64 KiB. */
export function readCrypttab(machine: Machine): string | null {
  const status = machine.stat(CRYPTTAB);
  if (status === null) return null;
  if (status.kind !== "file") throw problem("crypttab-not-a-file", { path: CRYPTTAB });
  const bytes = withReader(machine, CRYPTTAB, (reader) => reader.read(0, MAX_CRYPTTAB_BYTES + 1));
  if (bytes.length <= MAX_CRYPTTAB_BYTES) return decodeText(bytes);
  throw problem("crypttab-too-long", { path: CRYPTTAB, maxKib: MAX_KIB });
}
