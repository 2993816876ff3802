import { availableParallelism } from "node:os";
import { join } from "node:path";
import { normalizeName } from "../../drivers/index/names.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError } from "../../problems/errors.ts";
import { readArchitecture } from "../kernels/kernel-file.ts";
import { chooseAccelerator } from "../qemu/accelerator.ts";
import type { Bus } from "../qemu/disk-devices.ts";
import { openGuestDisk } from "../qemu/guest-disk.ts";
import { MACHINES, OWN_ARCHITECTURE } from "../qemu/machines.ts";
import { runGuest } from "../qemu/run-guest.ts";
import { saveFile, withTemporary } from "../temporary.ts";
import { hasModule } from "./checks/drivers.ts";
import type { Row } from "./examine.ts";
import { finding } from "./finding.ts";
import { kernelOf, type PlannedPatient } from "./patient.ts";

/** How far a trial came. */
export interface Trial {
  /** Where the guest saw the disks. */
  readonly bus: Bus;
  /** levain's own lines on the console, the last ones first if there are many. */
  readonly lines: readonly string[];
  /** The real init was started. */
  readonly isHandedOver: boolean;
  /** A passphrase was asked for, which a trial does not know. */
  readonly isAsking: boolean;
  readonly panic: string | null;
}

/** On the console: the last step of a boot (src/log/console.ts), a prompt, and the report of a failure. */
const HANDED_OVER = /\bhandover +(?:switch_root|pivot_root) to /;
const ASKING = /^ *passphrase: $/m;
const FAILED = /^rescue shell: |^rdshell=0 allows no shell|^the boot cannot continue/m;
const OWN_LINE = /^(?:levain \S+ on Linux| {2}[a-z]+ +\S| {6}\S|hint: |seen: |could not |cannot |no )/;
const TRIAL_MIB = 1024;
const MOST_LINES = 30;
const QUIET_END = "rd.quiet=no rdshell=0 rd.emergency=poweroff panic=-1";

/** What to boot with. */
interface TrialRequest {
  /** In place of the disks of this machine. */
  readonly files: readonly string[];
  readonly timeoutMs: number;
}

/** Boots the image in QEMU with views of the disks, whose changes are discarded; ends when the real init starts. Throws BootError. */
export async function tryBoot(
  machine: Machine,
  patient: PlannedPatient,
  { files, timeoutMs }: TrialRequest,
): Promise<Trial> {
  const { image, plan } = patient;
  if (image.inspection.findings.init?.kind !== "levain") {
    throw new BootError("cannot try the boot: a trial follows levain's own messages, and the image has another init");
  }
  const kernel = kernelOf(patient);
  if (kernel === null) {
    throw new BootError("cannot try the boot: the kernel of the image was not found", {
      hint: "name it: --kernel FILE",
    });
  }
  const disks = files.length > 0 ? files : patient.needs.disks.map(({ name }) => `/dev/${name.replaceAll("!", "/")}`);
  if (disks.length === 0) throw new BootError("cannot try the boot: the root is on no disk of this machine");
  const bus = chooseBus(patient);
  return await withTemporary(async (directory, onSignal) => {
    const save = (name: string, bytes: Uint8Array) => saveFile(join(directory, name), bytes);
    const file = image.unified === null ? kernel : save("linux", image.unified.linux);
    const architecture = readArchitecture(machine, file) ?? OWN_ARCHITECTURE;
    const guest = {
      architecture,
      accelerator: chooseAccelerator(architecture),
      kernel: file,
      initrd: save("initrd", image.initrd),
      // What follows "--" is for the init.
      cmdline: patient.cmdline.replace(/(?=\s--(?:\s|$)|$)/, ` console=${MACHINES[architecture].serial} ${QUIET_END}`),
      disks: disks.map((file) => openGuestDisk(file, bus, false)),
      memoryMib: Math.max(TRIAL_MIB, Math.ceil(image.inspection.memory.withoutRoot / 2 ** 20)),
      cpus: Math.min(2, availableParallelism()),
      uefi: null,
      hasNetwork: plan.network.isNeeded,
    };
    const isOver = (text: string) => HANDED_OVER.test(text) || ASKING.test(text);
    const signal = AbortSignal.timeout(timeoutMs);
    const end = await runGuest(guest, directory, { isInteractive: false, isOver, onSignal, signal });
    const { panic, status, complaint } = end;
    if (status !== 0) throw new BootError(`QEMU failed with status ${status}`, { seen: complaint.trim().split("\n") });
    return { bus, ...readConsole(end.console), panic };
  });
}

function readConsole(text: string): Pick<Trial, "lines" | "isHandedOver" | "isAsking"> {
  const lines = text.split("\n").map((line) => line.replace(/^\[ *\d+\.\d+\] /, "").trimEnd());
  const own = lines.filter((line) => OWN_LINE.test(line) || FAILED.test(line));
  return { lines: own.slice(-MOST_LINES), isHandedOver: HANDED_OVER.test(text), isAsking: ASKING.test(text) };
}

/** The drivers of disks that QEMU has a controller for. If the machine's is none of them, the last that the image has is used. */
const BUS_DRIVERS: readonly (readonly [module: string, bus: Bus])[] = [
  ["nvme", "nvme"],
  ["ahci", "ahci"],
  ["usb_storage", "usb"],
  ["virtio_scsi", "scsi"],
  ["virtio_blk", "virtio"],
];

/** Returns the bus on which the machine has its disk, or else one that the image has a driver for. */
function chooseBus({ modules, needs, image }: PlannedPatient): Bus {
  const used = (needs.disks[0]?.drivers ?? []).map(({ module, driver }) => normalizeName(module ?? driver));
  const hasModules = image.inspection.findings.kernels.length > 0;
  const usable = BUS_DRIVERS.filter(([module]) => !hasModules || hasModule(modules, module));
  return (usable.find(([module]) => used.includes(module)) ?? usable.at(-1))?.[1] ?? "virtio";
}

/** Formats how far the boot came. */
export function formatTrial(trial: Trial): readonly string[] {
  return [`trial in QEMU, disks on ${trial.bus}:`, ...trial.lines.map((line) => `  ${line}`), describeEnd(trial)];
}

/** Returns the row of the table for a trial; what was seen counts more than what was concluded. */
export function trialRow(trial: Trial): Row {
  const end = describeEnd(trial);
  const isFailed = !trial.isHandedOver && !trial.isAsking;
  return { subject: "trial", text: end, findings: isFailed ? [finding("trial-failed", { end })] : [] };
}

function describeEnd({ isHandedOver, isAsking, panic }: Trial): string {
  if (isHandedOver) return "the real init was started";
  if (isAsking) return "it asks for a passphrase, which the trial does not know";
  return panic === null ? "the real init was not started" : `the kernel panicked: ${panic}`;
}
