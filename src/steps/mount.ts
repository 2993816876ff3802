import { BootError, isErrno } from "../errors.ts";
import type { Machine, MountFlag } from "../machine/machine.ts";
import { printable } from "../report.ts";
import type { Voice } from "../voice.ts";
import { type BlockDevice, readText } from "./block-devices.ts";

/** A device to mount, and how. */
export interface MountOrder {
  readonly device: Pick<BlockDevice, "node" | "facts">;
  readonly target: string;
  /** Types to try instead of the probed one. */
  readonly types: readonly string[];
  readonly writable: boolean;
  /** Comma-separated, as in fstab: flags and the filesystem's own options mixed. */
  readonly options: string;
}

/** What the mount needs of the module loader: the filesystem's driver. */
export interface FilesystemLoader {
  loadFilesystem(type: string): void;
}

const FLAGS: readonly MountFlag[] = ["ro", "nosuid", "nodev", "noexec", "noatime", "relatime"];
/** Words of fstab that say nothing to mount(2). */
const NO_OPTIONS = ["defaults", "rw", "auto", "noauto", "nofail", "suid", "dev", "exec", "async", "_netdev", ""];

/** Mounts by the probed type, or the first of `types` that the kernel takes; returns that type. The kernel's refusal is told in its own words. */
export function mountDevice(machine: Machine, order: MountOrder, modules: FilesystemLoader, voice: Voice): string {
  const { device, target } = order;
  const types = order.types.length > 0 ? order.types : device.facts.type === null ? [] : [device.facts.type];
  if (types.length === 0) throw unknownContent(device);
  machine.makeDirectory(target);
  const mark = machine.kernelLogMark();
  const refusals: unknown[] = [];
  for (const type of types) {
    try {
      modules.loadFilesystem(type);
      mountAs(machine, order, type, voice);
      return type;
    } catch (error) {
      refusals.push(error);
    }
  }
  throw refused(order, types, refusals, machine.kernelLogSince(mark));
}

function mountAs(machine: Machine, order: MountOrder, type: string, voice: Voice): void {
  const { device, target, writable } = order;
  const { flags, options } = splitOptions(order.options);
  const request = { source: device.node, target, type, options };
  if (!writable) return machine.mount({ ...request, flags: addReadOnly(flags) });
  try {
    machine.mount({ ...request, flags });
  } catch (error) {
    if (!isErrno(error, "EROFS", "EACCES")) throw error;
    voice.warn(`${device.node} is write-protected, mounting it read-only`);
    machine.mount({ ...request, flags: addReadOnly(flags) });
  }
}

function addReadOnly(flags: readonly MountFlag[]): readonly MountFlag[] {
  return flags.includes("ro") ? flags : [...flags, "ro"];
}

/** fstab's mixed list as mount(2) wants it: flags apart from the filesystem's own options. */
export function splitOptions(text: string): { readonly flags: readonly MountFlag[]; readonly options: string } {
  const words = text.split(",");
  const flags = FLAGS.filter((flag) => words.includes(flag));
  const options = words.filter((word) => !FLAGS.some((flag) => flag === word) && !NO_OPTIONS.includes(word));
  return { flags, options: options.join(",") };
}

function refused(order: MountOrder, types: readonly string[], refusals: readonly unknown[], kernel: readonly string[]): BootError {
  const { node } = order.device;
  return new BootError(`could not mount ${node} (${types.map(printable).join(", ")}) at ${order.target}`, {
    cause: kernel.length > 0 ? new BootError(kernel.map((line) => `kernel: ${line}`).join("\n"), { cause: refusals[0] }) : refusals[0],
    hint: hintFor(order, types, refusals),
  });
}

function hintFor(order: MountOrder, types: readonly string[], refusals: readonly unknown[]): string {
  const [type = ""] = types;
  if (refusals.some((error) => isErrno(error, "ENODEV"))) {
    return `the module for ${printable(type)} is missing from this image: levain image --module ${printable(type)}`;
  }
  if (order.options !== "") return "check rootflags=, or repair the filesystem from the rescue shell or another system";
  return "check it from the rescue shell or another system with fsck, then `levain retry`";
}

function unknownContent({ node, facts }: MountOrder["device"]): BootError {
  const holds = facts.partitionTable === null ? "nothing that levain knows" : `a ${facts.partitionTable} partition table`;
  return new BootError(`could not mount ${node}`, {
    cause: new BootError(`it holds ${holds}, and no type was given`),
    hint: "name a partition in root=, or the type with rootfstype=",
  });
}

/** The programs that repair a filesystem, where the image has one. */
const CHECKERS = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];

/** Runs fsck on a root that will be mounted, where the image contains the program for its type. Throws BootError where errors are left (fsck(8): status 4 and above). */
export function checkFilesystem(machine: Machine, device: MountOrder["device"], voice: Voice): void {
  const { type } = device.facts;
  if (type === null || !/^[a-z0-9]+$/.test(type)) return;
  const program = CHECKERS.map((directory) => `${directory}/fsck.${type}`).find((path) => machine.stat(path)?.kind === "file");
  if (program === undefined) return;
  const { status, output } = machine.run([program, "-a", device.node], { capture: true });
  const said = output.trim().split("\n").slice(-5).map(printable);
  if (status === 0) return;
  if (status < 4) return voice.warn(`fsck repaired ${device.node}: ${said.at(-1) ?? ""}`);
  throw new BootError(`the filesystem on ${device.node} has errors that fsck does not repair by itself`, {
    cause: new BootError(said.join("\n") || `${program} ended with status ${status}`),
    hint: `run ${program} ${device.node} by hand in the rescue shell, then \`levain retry\``,
  });
}

/** True where the kernel has the filesystem already, built in or loaded. */
export function knowsFilesystem(machine: Machine, type: string): boolean {
  return readText(machine, "/proc/filesystems").split("\n").some((line) => line.split("\t").at(-1) === type);
}
