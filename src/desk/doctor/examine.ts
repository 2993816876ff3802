import { readTotalMemory } from "../../machine/small-files.ts";
import { BootError } from "../../problems/errors.ts";
import { sentence } from "../../problems/report.ts";
import { formatMib } from "../../problems/size.ts";
import { modulesOfVolume } from "../modules/host-modules.ts";
import { checkEntry, checkImage, checkKernel, checkMemory } from "./checks/boot.ts";
import { checkCrypt } from "./checks/crypt.ts";
import { checkDrivers, checkKeyboards } from "./checks/drivers.ts";
import { checkFilesystem, checkHintedFilesystems, checkInit, checkRoot, describeRoot } from "./checks/root.ts";
import { type Finding, finding } from "./finding.ts";
import { kernelOf, type Patient, type PlannedPatient, plan } from "./patient.ts";

/** A line of the table: what was checked, what it is, and what was found. */
export interface Row {
  readonly subject: string;
  /** What there is, if nothing is wrong with it. */
  readonly text: string;
  readonly findings: readonly Finding[];
}

interface Check<P> {
  readonly subject: string;
  readonly describe: (patient: P) => string;
  readonly find: (patient: P) => readonly Finding[];
}

const ENTRY: Check<Patient> = { subject: "entry", describe: describeEntry, find: checkEntry };

const IMAGE: Check<Patient> = { subject: "image", describe: ({ image }) => image.files.join(" "), find: checkImage };

/** What needs no plan. */
const FIRST: readonly Check<Patient>[] = [
  IMAGE,
  { subject: "kernel", describe: describeKernel, find: checkKernel },
  { subject: "memory", describe: describeMemory, find: checkMemory },
];

const PLAN: Check<PlannedPatient> = {
  subject: "plan",
  describe: ({ cmdline }) => cmdline,
  find: ({ warnings }) => warnings.map((warning) => finding("plan-warning", { warning })),
};

/** What depends on the disks and keyboards of the machine. */
const DRIVERS: readonly Check<PlannedPatient>[] = [
  { subject: "drivers", describe: describeDrivers, find: checkDrivers },
  { subject: "keyboards", describe: ({ needs }) => `${needs.keyboards.length} found`, find: checkKeyboards },
];
const HARDWARE: readonly Check<PlannedPatient>[] = [
  { subject: "root", describe: describeRoot, find: checkRoot },
  ...DRIVERS,
  { subject: "filesystem", describe: ({ roots }) => roots[0]?.facts.type ?? "none", find: checkFilesystem },
  { subject: "encryption", describe: describeCrypt, find: checkCrypt },
  {
    subject: "init",
    describe: ({ plan: made }) => made.handover.init ?? "as the kernel looks for it",
    find: checkInit,
  },
];

/** What the hints of another machine say. */
const HINTED: readonly Check<PlannedPatient>[] = [
  ...DRIVERS,
  {
    subject: "filesystems",
    describe: ({ hints }) => [...new Set(hints?.filesystems.map(({ type }) => type))].join(", "),
    find: checkHintedFilesystems,
  },
];

/** Chooses the checks. `isElsewhere`: the root is on no disk of this machine, and its boot loader is another one. */
function chooseChecks({ hints }: Patient, isElsewhere: boolean) {
  if (hints !== null) return { first: [IMAGE], planned: [PLAN, ...HINTED] };
  if (isElsewhere) return { first: FIRST, planned: [PLAN] };
  return { first: [ENTRY, ...FIRST], planned: [PLAN, ...HARDWARE] };
}

/** Checks everything; a boot that refuses its parameters is not looked at any further. */
export function examine(patient: Patient, isElsewhere = false): readonly Row[] {
  const checks = chooseChecks(patient, isElsewhere);
  const first = checks.first.map((check) => carryOut(check, patient));
  try {
    const planned = plan(patient);
    return [...first, ...checks.planned.map((check) => carryOut(check, planned))];
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    const problem = [sentence(error), ...error.seen].join(": ");
    return [...first, { subject: PLAN.subject, text: "", findings: [finding("plan-refused", { problem })] }];
  }
}

function carryOut<P>({ subject, describe, find }: Check<P>, patient: P): Row {
  return { subject, text: describe(patient), findings: find(patient) };
}

function describeEntry({ entry }: Patient): string {
  return entry === null ? "none" : `"${entry.title}" of ${entry.loader}`;
}

function describeKernel(patient: Patient): string {
  return `${patient.release ?? "unknown"}, ${kernelOf(patient) ?? "no file"}`;
}

function describeMemory({ machine, image }: Patient): string {
  const total = readTotalMemory(machine);
  const has = total === null ? "unknown" : formatMib(total);
  return `${has}, the image needs ${formatMib(image.inspection.memory.withRoot)}`;
}

function describeDrivers({ needs }: PlannedPatient): string {
  const steps = needs.disks.flatMap(({ drivers }) => drivers);
  const modules = [...steps.flatMap(({ module }) => module ?? []), ...needs.volumes.flatMap(modulesOfVolume)];
  return [...new Set(modules)].join(", ") || (steps.length === 0 ? "no disk is known" : "all built into the kernel");
}

function describeCrypt({ needs }: PlannedPatient): string {
  const volumes = needs.volumes.filter(({ kind }) => kind === "luks" || kind === "plain");
  return volumes.map(({ name, device }) => name ?? device).join(", ") || "none";
}
