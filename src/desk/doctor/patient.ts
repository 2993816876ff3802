import { planMachine } from "../../boot/plan-reader.ts";
import type { BlockDevice } from "../../devices/block-devices.ts";
import { listBlockDeviceNames } from "../../devices/block-devices.ts";
import type { Inventory } from "../../devices/inventory.ts";
import { listLinks } from "../../devices/persistent-names.ts";
import { readBlockDevices } from "../../devices/read-devices.ts";
import { type ImageModules, readImageModules } from "../../drivers/module-source.ts";
import { readMounts } from "../../filesystems/mounts.ts";
import { resolveIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import { textOrNone } from "../../machine/small-files.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { rootDevices } from "../../plan/root.ts";
import { createNamer } from "../../storage/inventory.ts";
import { matchDevices } from "../../storage/match.ts";
import type { BootEntry } from "../boot-entries/entry.ts";
import { findKeyboards } from "../hints/consoles.ts";
import type { Hints, Needs } from "../hints/schema.ts";
import { machineFiles } from "../hints/system-files.ts";
import { walkStack } from "../hints/volumes.ts";
import { type BootImage, releasesOf } from "../kernels/boot-image.ts";
import { findKernelFile, readRelease } from "../kernels/kernel-file.ts";
import { imageMachine } from "./image-machine.ts";

/** An image, and the machine that it is to boot. */
export interface Patient {
  readonly machine: Machine;
  readonly image: BootImage;
  /** null: this user may not read them. */
  readonly entries: readonly BootEntry[] | null;
  /** The entry that loads the image; null: none does. */
  readonly entry: BootEntry | null;
  readonly cmdline: string;
  /** The kernel's file, if it is not that of the entry. */
  readonly kernel: string | null;
  /** What levain host found on the machine, if it is another one. */
  readonly hints: Hints | null;
  /** The release of the kernel under which its drivers are bound now. */
  readonly running: string;
  /** The release of the kernel that boots the image; null if unknown. */
  readonly release: string | null;
  /** The machine as a boot sees it: the files are those of the image. */
  readonly view: Machine;
}

/** What a boot of it would do, and what it needs for that. */
export interface PlannedPatient extends Patient {
  readonly plan: BootPlan;
  readonly warnings: readonly string[];
  /** null: the image has no modules for the kernel. */
  readonly modules: ImageModules | null;
  readonly devices: readonly BlockDevice[];
  /** Those that root= names: the first name that leads to one counts. */
  readonly roots: readonly BlockDevice[];
  readonly needs: Needs;
  find(spec: DeviceSpec): readonly BlockDevice[];
}

/** What the user says about the boot; null: as it is found. */
export type Given = Pick<Patient, "kernel" | "hints"> & { readonly cmdline: string | null };

/** Describes how an image would be booted: by its entry, or else with the command line of the running system. */
export function admit(machine: Machine, image: BootImage, entries: Patient["entries"], given: Given): Patient {
  const entry = findEntry(machine, entries ?? [], image.files);
  const { kernel, hints } = given;
  const usual = hints?.cmdline ?? entry?.cmdline ?? textOrNone(machine, "/proc/cmdline");
  const words = given.cmdline ?? image.unified?.cmdline ?? usual.trim();
  const [newest = null] = releasesOf(image);
  const file = kernel ?? (hints === null ? entry?.kernel : null) ?? null;
  const ofEntry = file === null ? null : readRelease(machine, file);
  const release = image.unified?.release ?? ofEntry ?? newest;
  const view = imageMachine(machine, image.inspection.tree.root, {
    cmdline: words,
    release: release ?? machine.release().release,
  });
  const running = hints?.kernel ?? machine.release().release;
  return { machine, image, entries, entry, cmdline: words, kernel, hints, running, release, view };
}

/** Makes the plan of the boot, and finds what it needs. Throws BootError if the boot would refuse its parameters. */
export function plan(patient: Patient): PlannedPatient {
  const { machine, view, hints } = patient;
  const heard: string[] = [];
  const voice = { warn: (text: string) => void heard.push(text), debug: () => undefined, progress: () => undefined };
  const made = planMachine(view, voice);
  const names = hints === null ? listBlockDeviceNames(machine) : [];
  const { devices } = readBlockDevices(machine, names);
  const inventory: Inventory = new Map(devices.map((device) => [device.name, device]));
  const look = {
    name: createNamer(machine, inventory),
    links: (device: BlockDevice) => listLinks(machine, device),
    holds: () => false,
  };
  const find = (spec: DeviceSpec) => matchDevices(spec, devices, look);
  const roots =
    rootDevices(made.plan.root)
      .map(find)
      .find((found) => found.length > 0) ?? [];
  return {
    ...patient,
    plan: made.plan,
    warnings: [...heard, ...made.warnings],
    modules: readImageModules(view, made.plan.modules),
    devices,
    roots,
    // A btrfs needs each of its devices.
    needs: hints ?? findNeeds(machine, roots),
    find,
  };
}

function findNeeds(machine: Machine, roots: readonly BlockDevice[]): Needs {
  const files = machineFiles(machine);
  const names = roots.map(({ name }) => name.replaceAll("/", "!"));
  // The ciphers are read from the headers: checks/crypt.ts.
  const reader = { files, mounts: readMounts(machine), cipherOn: () => null };
  return { ...walkStack(reader, names), keyboards: findKeyboards(files) };
}

/** Files are the same if they are one inode: /initrd.img is often a link. */
function findEntry(machine: Machine, entries: readonly BootEntry[], files: readonly string[]): BootEntry | null {
  const image = files.at(-1) ?? "";
  const loading = entries.filter(({ initrds }) => initrds.some((path) => isSame(machine, path, image)));
  return loading.find(({ isDefault }) => isDefault) ?? loading[0] ?? null;
}

function isSame(machine: Machine, one: string, other: string): boolean {
  const real = resolveIn(machine, "/", one);
  return one === other || (real !== null && real === resolveIn(machine, "/", other));
}

/** Returns the kernel file of the boot, which may be the image itself; null if it is unknown. */
export function kernelOf({ machine, image, entry, kernel, release }: Patient): string | null {
  if (kernel !== null) return kernel;
  if (image.unified !== null) return image.files[0] ?? null;
  if (entry?.kernel !== undefined && entry.kernel !== null) return entry.kernel;
  return release === null ? null : findKernelFile(machine, release);
}
