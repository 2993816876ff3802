import type { BlockDevice } from "../devices/block-devices.ts";
import { isPluggable } from "../devices/drives.ts";
import type { Mapping } from "../machine/encryption.ts";
import type { Machine } from "../machine/machine.ts";
import { unlessRefused } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import type { RequiredVolume } from "./contract.ts";
import { listBcaches, stopBcache } from "./device-mapper/bcache.ts";
import { listArrays, listBelow, removeMapping } from "./device-mapper/mapping.ts";

// Labels and UUIDs are public: anyone can make a filesystem with those of the root. The real one differs from a copy in that it
// lies in a volume that only the right key opens. The kernel answers that; a name does not.

/** An encrypted volume by libcryptsetup's uuid. The same prefix marks devices that only check data (verity, integrity). */
const ENCRYPTED = /^CRYPT-(?!VERITY-|INTEGRITY-|SUBDEV-)/;

/** Returns the encrypted volumes that are open now. */
export function listOpenVolumes(machine: Machine): readonly Mapping[] {
  return machine.listMappings().filter(({ uuid }) => ENCRYPTED.test(uuid));
}

/** Returns a test for devices that lie in one of `volumes`, in each of their parts. */
export function liesIn(machine: Machine, volumes: readonly string[]): (device: Pick<BlockDevice, "name">) => boolean {
  const isInside = (name: string): boolean => {
    if (volumes.includes(name)) return true;
    const below = listBelow(machine, name);
    return below.length > 0 && below.every(isInside);
  };
  return ({ name }) => volumes.length > 0 && isInside(name);
}

/** Returns a test for devices of which at least a part lies in one of `volumes`: these cannot be stopped while the device is used. */
export function restsOn(machine: Machine, volumes: readonly string[]): (device: Pick<BlockDevice, "name">) => boolean {
  const rests = (name: string): boolean => volumes.includes(name) || listBelow(machine, name).some(rests);
  return ({ name }) => rests(name);
}

/** True for a device that dm-verity verifies. */
export function isVerified(machine: Machine, device: Pick<BlockDevice, "name">): boolean {
  const volumes = machine.listMappings().filter(isOfVerity);
  return liesIn(
    machine,
    volumes.map((mapping) => mapping.device),
  )(device);
}

/** True if a part of the device, by the kernel's name, was probably plugged in by hand: a logical volume or an array on a stick looks like a disk of the machine. */
export function liesOnStick(machine: Machine, name: string): boolean {
  return (
    isPluggable(machine, { name, partition: null }) ||
    listBelow(machine, name).some((below) => liesOnStick(machine, below))
  );
}

/** Returns a test for devices that lie in any encrypted volume. */
export function liesInVolume(machine: Machine): (device: Pick<BlockDevice, "name">) => boolean {
  const volumes = listOpenVolumes(machine).map(({ device }) => device);
  return liesIn(machine, volumes);
}

/**
 * Returns those of `found` that may be a part of the root. If volumes are required, these are the devices in one of them, and
 * the required volumes that are still locked. Otherwise devices in a volume come before those outside, and among the latter a
 * LUKS header before a filesystem with its UUID.
 */
export function chooseTrusted(
  machine: Machine,
  found: readonly BlockDevice[],
  required: readonly RequiredVolume[],
): readonly BlockDevice[] {
  const isLuks = ({ facts }: BlockDevice) => facts.type === "crypto_LUKS";
  if (required.length > 0) {
    const kinds = Map.groupBy(required, ({ isVerified }) => isVerified);
    const tests = [...kinds.values()].map((volumes) => liesInOneOf(machine, volumes));
    return found.filter((device) => tests.every((isTrusted) => isTrusted(device)));
  }
  return [found.filter(liesInVolume(machine)), found.filter(isLuks)].find(({ length }) => length > 0) ?? found;
}

/** Returns a test for devices that lie in one of these volumes, or are one that is still locked. */
function liesInOneOf(machine: Machine, volumes: readonly RequiredVolume[]): (device: BlockDevice) => boolean {
  const isInside = liesIn(
    machine,
    volumes.flatMap(({ inside }) => inside ?? []),
  );
  const isLocked = ({ facts, name }: BlockDevice) =>
    facts.type === "crypto_LUKS" &&
    volumes.some(({ outside, inside, isVerified }) => !isVerified && inside === null && outside === name);
  return (device) => isInside(device) || isLocked(device);
}

/**
 * Closes every encrypted volume, and what was made of it, before something outside them becomes a part of the root.
 * Throws BootError if one is in use, for then it already holds a part of the root.
 */
export function closeVolumes(machine: Machine, voice: Voice, why: string): void {
  const open = listOpenVolumes(machine);
  if (open.length === 0) return;
  const names = open.map(({ name }) => `/dev/mapper/${printable(name)}`);
  unlessRefused(
    () => removeVolumes(machine, (mapping) => isOfVerity(mapping) || isIntegrityAlone(mapping)),
    (cause) => {
      throw problem("volumes-in-use", { why, names }, { cause });
    },
  );
  voice.warn(`${why}: closed ${names.join(" and ")}`);
}

/** A filesystem that the root is made of. */
export interface RootPart {
  /** For the user, safe to print. */
  readonly text: string;
  /** True if it lies in an encrypted volume. */
  readonly isInside: boolean;
}

/** Throws BootError if only some parts of the root lie in encrypted volumes: the others could read what these protect, and replace its files. If none does, no volume stays open. */
export function requireOneSide(machine: Machine, parts: readonly RootPart[], voice: Voice): void {
  const outside = parts.filter(({ isInside }) => !isInside);
  if (outside.length === 0) return;
  const texts = outside.map(({ text }) => text);
  if (outside.length === parts.length) {
    closeVolumes(machine, voice, `the root is not encrypted (${texts.join(" and ")})`);
    return;
  }
  const seen = parts.map(({ text, isInside }) => `${text}: ${isInside ? "encrypted" : "not encrypted"}`);
  throw problem("partly-encrypted", { outside: texts }, { seen });
}

const isOfVerity = ({ uuid }: Mapping) => /^(?:part\d+-)*CRYPT-VERITY-/.test(uuid);

/** Not below a LUKS volume, where libcryptsetup's uuid says SUBDEV. */
const isIntegrityAlone = ({ uuid }: Mapping) => /^(?:part\d+-)*CRYPT-INTEGRITY-/.test(uuid);

/** Returns what dm-integrity alone checks, and is open now. */
export function listIntegrityAlone(machine: Machine): readonly Mapping[] {
  return machine.listMappings().filter(({ uuid }) => uuid.startsWith("CRYPT-INTEGRITY-"));
}

/** Removes every device that libcryptsetup's uuids mark, and what was made of it, from the top: partitions, arrays or LVM in a volume, volumes in volumes, dm-integrity below. What `isKept` stays if it is in none of the others. */
export function removeVolumes(machine: Machine, isKept: (mapping: Mapping) => boolean = () => false): void {
  const stopped = new Set<string>();
  for (;;) {
    const all = machine.listMappings();
    const volumes = all
      .filter((mapping) => /^(?:part\d+-)*CRYPT-/.test(mapping.uuid) && !isKept(mapping))
      .map(({ device }) => device);
    const isOurs = liesIn(machine, volumes);
    const mappings = all
      .filter(({ device }) => isOurs({ name: device }))
      .map((mapping) => ({ device: mapping.device, remove: () => removeMapping(machine, mapping) }));
    const arrays = listArraysOn(machine, volumes)
      .filter((device) => !stopped.has(device))
      .map((device) => {
        const remove = () => (device.startsWith("md") ? machine.stopArray(device) : stopBcache(machine, device));
        return { device, remove };
      });
    const left = [...mappings, ...arrays];
    const isBelow = ({ device }: { readonly device: string }) =>
      left.some((other) => listBelow(machine, other.device).includes(device));
    const top = left.find((one) => !isBelow(one));
    if (top === undefined) return;
    top.remove();
    stopped.add(top.device);
  }
}

/** Lists the arrays, and the devices of bcache, of which any member lies in one of `volumes`: they keep it open. */
function listArraysOn(machine: Machine, volumes: readonly string[]): readonly string[] {
  const uses = (name: string): boolean =>
    volumes.includes(name) || listBelow(machine, name).some((below) => uses(below));
  return volumes.length === 0 ? [] : [...listArrays(machine), ...listBcaches(machine)].filter(uses);
}
