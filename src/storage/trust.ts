import type { BlockDevice } from "../devices/block-devices.ts";
import type { Mapping } from "../machine/encryption.ts";
import type { Machine } from "../machine/machine.ts";
import { BootError, isErrno } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { listBelow, removeMapping } from "./mapping.ts";
import type { RequiredVolume } from "./opener.ts";

// Labels and UUIDs are public: anybody can make a filesystem that has those of the root. What tells the real one from a
// copy is that it lies in a volume that only the right key opens, so that is asked of the kernel, never of a name.

/** An encrypted volume by libcryptsetup's uuid: the same prefix stands before what only checks data (verity, integrity). */
const ENCRYPTED = /^CRYPT-(?!VERITY-|INTEGRITY-|SUBDEV-)/;

/** The encrypted volumes that are open now. */
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

/** Returns a test for devices that lie in any encrypted volume. */
export function liesInVolume(machine: Machine): (device: Pick<BlockDevice, "name">) => boolean {
  return liesIn(
    machine,
    listOpenVolumes(machine).map(({ device }) => device),
  );
}

/**
 * Those of `found` that may be a part of the root: where volumes are required only what lies in one of them, or is one that
 * is still locked; else what lies in a volume rather than what does not, and of the rest a LUKS header rather than a
 * filesystem that has its UUID.
 */
export function chooseTrusted(
  machine: Machine,
  found: readonly BlockDevice[],
  required: readonly RequiredVolume[],
): readonly BlockDevice[] {
  const isLuks = ({ facts }: BlockDevice) => facts.type === "crypto_LUKS";
  if (required.length > 0) {
    const isInside = liesIn(
      machine,
      required.flatMap(({ inside }) => inside ?? []),
    );
    const isLocked = (device: BlockDevice) =>
      isLuks(device) && required.some(({ outside, inside }) => inside === null && outside === device.name);
    return found.filter((device) => isInside(device) || isLocked(device));
  }
  return [found.filter(liesInVolume(machine)), found.filter(isLuks)].find(({ length }) => length > 0) ?? found;
}

/**
 * Closes every encrypted volume, and what was made of it, before something outside of them becomes a part of the root.
 * Throws BootError where one is in use: then it holds a part of the root already.
 */
export function closeVolumes(machine: Machine, voice: Voice, why: string): void {
  const open = listOpenVolumes(machine);
  if (open.length === 0) return;
  const names = open.map(({ name }) => `/dev/mapper/${printable(name)}`).join(" and ");
  try {
    removeVolumes(machine);
  } catch (error) {
    if (!isErrno(error)) throw error;
    throw new BootError(`${why}, but ${names} cannot be closed`, {
      cause: error,
      hint: "put all parts of the root into encrypted volumes, or none",
    });
  }
  voice.warn(`${why}: closed ${names}`);
}

/** A filesystem that the root is made of. */
export interface RootPart {
  /** For a person, safe to print. */
  readonly text: string;
  /** True where it lies in an encrypted volume. */
  readonly isInside: boolean;
}

/** Throws BootError where only some parts of the root lie in encrypted volumes: the others could read what those protect, and replace its files. Where none does, no volume stays open. */
export function requireOneSide(machine: Machine, parts: readonly RootPart[], voice: Voice): void {
  const outside = parts.filter(({ isInside }) => !isInside);
  if (outside.length === 0) return;
  const texts = outside.map(({ text }) => text).join(" and ");
  if (outside.length === parts.length) {
    closeVolumes(machine, voice, `the root is not encrypted (${texts})`);
    return;
  }
  throw new BootError("only a part of the root is encrypted", {
    cause: new BootError(`${texts} could replace files of the encrypted part`),
    seen: parts.map(({ text, isInside }) => `${text}: ${isInside ? "encrypted" : "not encrypted"}`),
    hint: "put every image and layer into the encrypted volume, or none",
  });
}

/** Removes all that libcryptsetup's names mark and what was made of it, the uppermost first: partitions or LVM in a volume, volumes in volumes, dm-integrity below. */
export function removeVolumes(machine: Machine): void {
  for (;;) {
    const isInside = liesInVolume(machine);
    const isOurs = ({ uuid, device }: Mapping) => /^(?:part\d+-)*CRYPT-/.test(uuid) || isInside({ name: device });
    const left = machine.listMappings().filter(isOurs);
    const isBelow = ({ device }: Mapping) => left.some((other) => listBelow(machine, other.device).includes(device));
    const top = left.find((mapping) => !isBelow(mapping));
    if (top === undefined) return;
    removeMapping(machine, top);
  }
}
