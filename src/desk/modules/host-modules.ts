import { findModule, isBuiltin } from "../../drivers/index/module-index.ts";
import { normalizeName } from "../../drivers/index/names.ts";
import { type ModuleSource, resolveModule } from "../../drivers/index/resolution.ts";
import { charsetsFor, driversOf } from "../../formats/filesystems/filesystem-types.ts";
import { listCipherAliases } from "../../storage/kinds/crypt/dm-crypt.ts";
import type { DriverStep, Hints, Volume } from "../hints/schema.ts";

/** What a kernel has no module for. */
export interface Gap {
  readonly what: string;
  /** Without it the root does not appear. */
  readonly isFatal: boolean;
}

/** The modules that a boot of one machine needs, without their dependencies. */
export interface HostModules {
  readonly names: readonly string[];
  readonly gaps: readonly Gap[];
}

const DEVICE_MAPPER = "dm_mod";
const KIND_MODULES: Readonly<Record<Volume["kind"], readonly string[]>> = {
  luks: [DEVICE_MAPPER, "dm_crypt"],
  plain: [DEVICE_MAPPER, "dm_crypt"],
  integrity: [DEVICE_MAPPER, "dm_integrity"],
  verity: [DEVICE_MAPPER, "dm_verity"],
  lvm: [DEVICE_MAPPER],
  mapping: [DEVICE_MAPPER],
  multipath: [DEVICE_MAPPER, "dm_multipath"],
  md: ["md_mod"],
  bcache: ["bcache"],
  loop: ["loop"],
};
const SERVER_MODULES = { nbd: "nbd", aoe: "aoe", iscsi: "iscsi_tcp", "nvme-tcp": "nvme-tcp" } as const;
const LINK_MODULES = { vlan: "8021q", bond: "bonding", bridge: "bridge" } as const;
/** What every network needs (src/network/network-drivers.ts). */
const NETWORK = ["af_packet", "ipv6"];
/** A keyboard that is plugged in later. */
const USB_KEYBOARD = ["usbhid", "hid_generic"];
/**
 * The drivers of screens that load megabytes of firmware. Until the real system has loaded them, the kernel shows the prompt on the
 * framebuffer of the boot firmware.
 */
const LARGE_SCREENS: ReadonlySet<string> = new Set(["i915", "xe", "amdgpu", "radeon", "nouveau"]);
/** Targets of device mapper and levels of RAID: which of them a volume has, its table says, which only root can read. */
const TARGETS = /^kernel\/drivers\/md\//;
const CIPHERS = /^kernel\/(crypto|arch\/\w+\/crypto)\//;

/** Finds the modules for the hints in the kernel of `source`; drivers of network cards if the network is needed. */
export function findHostModules(source: ModuleSource, hints: Hints, needsNetwork: boolean): HostModules {
  const collector = createCollector(source);
  addStorage(source, hints, collector);
  addConsoles(hints, collector);
  if (needsNetwork) addNetwork(hints, collector);
  for (const name of loadedParts(source, hints)) collector.names.add(name);
  return { names: [...collector.names], gaps: collector.gaps };
}

type Collector = ReturnType<typeof createCollector>;

function createCollector(source: ModuleSource) {
  const names = new Set<string>();
  const gaps: Gap[] = [];
  const take = (found: readonly string[] | null, what: string | null, isFatal: boolean) => {
    for (const name of found ?? []) names.add(name);
    if (found === null && what !== null) gaps.push({ what, isFatal });
  };
  return {
    names,
    gaps,
    /** Adds the modules of a name or alias; `what` is null if it does not matter that the kernel has none. */
    add: (given: string, what: string | null, isFatal: boolean) => take(lookUp(source, given), what, isFatal),
    addDrivers(drivers: readonly DriverStep[], device: string, isFatal: boolean) {
      for (const step of drivers) {
        take(lookUpStep(source, step), `the driver ${step.module} of ${device} (${step.device})`, isFatal);
      }
    },
  };
}

function addStorage(
  source: ModuleSource,
  { filesystems, volumes, disks }: Hints,
  { add, addDrivers }: Collector,
): void {
  for (const { type, options } of filesystems) {
    if (!IN_MEMORY.has(type)) addFilesystem(source, type, options, add);
  }
  for (const volume of volumes) addVolume(volume, add);
  for (const { name, drivers, server } of disks) {
    addDrivers(drivers, `the disk ${name}`, true);
    if (server !== null) add(SERVER_MODULES[server], `${server}, by which the disk ${name} is reached`, true);
  }
}

function addConsoles(hints: Hints, { add, addDrivers }: Collector): void {
  for (const { name, drivers } of hints.usb) addDrivers(drivers, `the USB bus ${name}`, false);
  for (const { name, drivers } of hints.keyboards) addDrivers(drivers, `the keyboard ${name}`, false);
  if (hints.usb.length > 0) for (const name of USB_KEYBOARD) add(name, null, false);
  if (!asksForPassphrase(hints)) return;
  for (const { name, drivers } of hints.screens) addDrivers(drivers.filter(isSmallScreen), `the screen ${name}`, false);
}

function addNetwork(hints: Hints, { add, addDrivers }: Collector): void {
  for (const { name, drivers } of usedCards(hints)) addDrivers(drivers, `the network card ${name}`, true);
  for (const name of [...NETWORK, ...hints.links.map((kind) => LINK_MODULES[kind])]) add(name, null, false);
}

const IN_MEMORY: ReadonlySet<string> = new Set(["tmpfs", "ramfs", "rootfs"]);

type Add = Collector["add"];

function addFilesystem(source: ModuleSource, type: string, options: string, add: Add): void {
  const known = driversOf(type).find((name) => lookUp(source, `fs-${name}`) ?? lookUp(source, name));
  const name = known ?? type;
  add(lookUp(source, `fs-${name}`) === null ? name : `fs-${name}`, `the filesystem ${type}`, true);
  for (const charset of charsetsFor(type, options)) add(charset, null, false);
}

function addVolume(volume: Volume, add: Add): void {
  const { device, kind, detail } = volume;
  for (const name of modulesOfVolume(volume)) add(name, `the volume ${device} (${name})`, true);
  if (kind !== "luks" || detail === null) return;
  for (const alias of listCipherAliases(detail)) add(alias, `the cipher ${detail} of ${device} (${alias})`, false);
  // levain decrypts keyslots with AES; for any other cipher it asks the kernel (src/keys/kernel-decryptor.ts).
  if (!detail.startsWith("aes-")) add("algif_skcipher", null, false);
}

/** Returns the names of the modules that make such a volume. */
export function modulesOfVolume({ kind, detail }: Volume): readonly string[] {
  const level = kind !== "md" || detail === null ? [] : [/^raid[456]$/.test(detail) ? "raid456" : detail];
  return [...KIND_MODULES[kind], ...level];
}

/** Returns the modules for a name or alias; none if it is built into the kernel, null if the kernel does not have it. */
function lookUp(source: ModuleSource, given: string): readonly string[] | null {
  const names = resolveModule(source, given).map(({ name }) => name);
  const modules = names.filter((name) => findModule(source.index, name) !== null);
  return modules.length > 0 || names.some((name) => isBuiltin(source.index, name)) ? modules : null;
}

/** The module that has bound the device is the driver, if this kernel has it too; otherwise the kernel's aliases know one. */
function lookUpStep(source: ModuleSource, { module, driver, modalias }: DriverStep): readonly string[] | null {
  for (const name of [module ?? "", driver].map(normalizeName)) {
    if (findModule(source.index, name) !== null) return [name];
    if (isBuiltin(source.index, name)) return [];
  }
  const byAlias = modalias === null ? null : lookUp(source, modalias);
  // A driver that is built into the kernel that runs, and unknown here, is in this kernel too: few of them have a name of a module.
  return byAlias ?? (module === null ? [] : null);
}

function isSmallScreen({ module }: DriverStep): boolean {
  return module === null || !LARGE_SCREENS.has(module);
}

/** Returns the cards that are up; all, if none of them is. */
function usedCards({ cards }: Hints): Hints["cards"] {
  const up = cards.filter(({ isUp }) => isUp);
  return up.length > 0 ? up : cards;
}

/** Whether a boot may have to ask for a passphrase. */
export function asksForPassphrase({ volumes }: Pick<Hints, "volumes">): boolean {
  return volumes.some(({ kind }) => kind === "luks" || kind === "plain");
}

/** Returns what the kernel that runs has loaded for the volumes of this machine. */
function loadedParts(source: ModuleSource, { modules, volumes }: Hints): readonly string[] {
  const kinds = new Set(volumes.map(({ kind }) => kind));
  kinds.delete("loop");
  if (kinds.size === 0) return [];
  const hasHashes = kinds.has("integrity") || kinds.has("verity");
  return modules.map(normalizeName).filter((name) => {
    const path = findModule(source.index, name)?.path ?? "";
    return TARGETS.test(path) || (hasHashes && CIPHERS.test(path));
  });
}
