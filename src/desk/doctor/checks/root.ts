import { chooseInit } from "../../../boot/steps/init.ts";
import { type BlockDevice, describeDevice, withReader } from "../../../devices/block-devices.ts";
import { resolveModule } from "../../../drivers/index/resolution.ts";
import { findMount, readMounts } from "../../../filesystems/mounts.ts";
import { driversOf } from "../../../formats/filesystems/filesystem-types.ts";
import { isAtLeast, listFeatures } from "../../../formats/kernels/filesystem-features.ts";
import { formatDeviceSpec } from "../../../parameters/device-spec.ts";
import { nameRoot, rootDevices } from "../../../plan/root.ts";
import { BootError, isErrno, orIfRefused } from "../../../problems/errors.ts";
import { sentence } from "../../../problems/report.ts";
import { type Finding, finding } from "../finding.ts";
import type { PlannedPatient } from "../patient.ts";
import { hasModule } from "./drivers.ts";

/** Checks that root= names a device of this machine. */
export function checkRoot({ plan, roots, devices }: PlannedPatient): readonly Finding[] {
  const { root } = plan;
  if (root.kind === "none") return root.isAsked ? [] : [finding("root-not-named", {})];
  const name = nameRoot(root);
  const isSearched = rootDevices(root).some(({ by }) => by === "file");
  if (root.kind !== "block" || (roots.length === 0 && isSearched)) return [finding("root-not-checked", { root: name })];
  if (roots.length === 0) {
    const isUnknown = devices.length === 0 || devices.some(({ unreadable }) => unreadable !== null);
    return [finding(isUnknown ? "root-unreadable" : "root-absent", { root: name })];
  }
  if (roots.some(({ unreadable }) => unreadable !== null)) return [finding("root-unreadable", { root: name })];
  const isPool = roots.every(({ facts }) => facts.type === "btrfs");
  if (roots.length === 1 || isPool) return [];
  return [finding("root-several", { root: name, devices: roots.map(({ node }) => node).join(" and ") })];
}

/** Checks that the kernel can mount what is on the root device. */
export function checkFilesystem(patient: PlannedPatient): readonly Finding[] {
  const [device] = patient.roots;
  if (device === undefined || device.unreadable !== null) return [];
  const { type } = device.facts;
  // A root= that is an encrypted volume is unlocked, and its filesystem is known then.
  if (type === "crypto_LUKS") return [];
  if (type === null) {
    return [finding("filesystem-unknown", { device: device.node, content: describeDevice(device) })];
  }
  const drivers = driversOf(type);
  const isKnown = drivers.some((driver) => knowsFilesystem(patient, driver));
  const [module = type] = drivers;
  return [
    ...(isKnown ? [] : [finding("filesystem-missing", { type, device: device.node, module })]),
    ...checkFeatures(patient, device, type),
  ];
}

function knowsFilesystem({ modules, machine, release }: PlannedPatient, driver: string): boolean {
  if (modules !== null)
    return (
      hasModule(modules, driver) || resolveModule(modules, `fs-${driver}`).some(({ name }) => hasModule(modules, name))
    );
  // Without modules, all that the kernel will know is built in: only the running one can be asked.
  if (release !== null && release !== machine.release().release) return true;
  const known = orIfRefused(() => new TextDecoder().decode(machine.readFile("/proc/filesystems")), null);
  return known === null || known.split(/\s+/).includes(driver);
}

function checkFeatures({ machine, release }: PlannedPatient, device: BlockDevice, type: string): readonly Finding[] {
  const features = withReader(machine, device.node, (reader) => listFeatures(reader, type));
  return features.flatMap(({ name: feature, since }) => {
    const facts = { device: device.node, feature };
    if (since === "unknown") return [finding("feature-unknown", facts)];
    if (since === null) return [finding("feature-unusable", facts)];
    if (release === null || isAtLeast(release, since)) return [];
    return [finding("feature-too-new", { ...facts, since, release })];
  });
}

/** Checks that the image has drivers for the filesystems that another machine has mounted. */
export function checkHintedFilesystems(patient: PlannedPatient): readonly Finding[] {
  const { hints, modules } = patient;
  if (hints === null || modules === null) return [];
  return hints.filesystems.flatMap(({ path, type }) => {
    const [module = type] = driversOf(type);
    const isKnown = driversOf(type).some((driver) => knowsFilesystem(patient, driver));
    return isKnown ? [] : [finding("filesystem-missing", { type, device: path, module })];
  });
}

/** Checks the real init, if the root is that of the running system. */
export function checkInit(patient: PlannedPatient): readonly Finding[] {
  const { machine, plan } = patient;
  if (plan.root.kind === "none") return [];
  if (!isRunningRoot(patient)) return [finding("init-not-checked", {})];
  try {
    chooseInit(machine, "/", plan.handover.init, true);
    return [];
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return [finding("init-missing", { problem: sentence(error) })];
  }
}

function isRunningRoot({ machine, plan, roots }: PlannedPatient): boolean {
  if (plan.image !== null || plan.layers.length > 0) return false;
  try {
    const source = findMount(readMounts(machine), "/")?.source ?? "";
    const number = machine.stat(source)?.represents ?? machine.stat("/")?.device;
    return roots.some((device) => device.number === number);
  } catch (error) {
    if (isErrno(error)) return false;
    throw error;
  }
}

/** Says what root= names, for the row of a root that is there. */
export function describeRoot({ plan, roots }: PlannedPatient): string {
  const [device] = roots;
  const spec = rootDevices(plan.root).map(formatDeviceSpec).join(", else ");
  return device === undefined ? nameRoot(plan.root) || "the initramfs itself" : `${spec}: ${describeDevice(device)}`;
}
