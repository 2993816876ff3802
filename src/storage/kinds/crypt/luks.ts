import { createFindHash } from "../../../crypto/hash.ts";
import { wipe } from "../../../crypto/secret.ts";
import type { BlockDevice } from "../../../devices/block-devices.ts";
import { isBackup, type LuksHeader } from "../../../formats/luks/header.ts";
import { readLuksHeader } from "../../../formats/luks/read-header.ts";
import { aesDecryptor, nullDecryptor } from "../../../keys/area-decryptor.ts";
import { kernelDecryptor } from "../../../keys/kernel-decryptor.ts";
import { type CryptMapping, planMapping } from "../../../keys/mapping.ts";
import { listUntried, type UnlockOptions, unlock, usableKeyslots } from "../../../keys/unlock.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { Machine } from "../../../machine/machine.ts";
import { readAvailableMemory, readText } from "../../../machine/small-files.ts";
import type { CryptSettings } from "../../../parameters/crypt/settings.ts";
import { isErrno } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { removeMapping, requireFreeNames } from "../../mapping.ts";
import { requireTarget } from "../../mapping-target.ts";
import type { Scene } from "../../opener.ts";
import { createCryptMapping } from "./crypt-mapping.ts";
import { deriveForVolume, kdfBound } from "./derivation.ts";
import { createIntegrityMapping } from "./integrity.ts";
import { bareUuid, type Lock, mappingUuid } from "./lock.ts";
import { readPlace } from "./places.ts";

/** Reads a LUKS header, once, and says what was odd about it. null where it is to come from a device that is not there. Throws BootError for a header that is none, or must be let alone. */
export function prepareLuks(
  scene: Scene,
  device: BlockDevice,
  settings: CryptSettings & { readonly name: string | null },
): Lock | null {
  const header =
    settings.header === null ? readOwnHeader(scene.machine, device) : readPlace(scene, settings.header, readLuksHeader);
  if (header === null) return null;
  for (const warning of header.warnings) scene.voice.warn(`${device.node}: ${printable(warning)}`);
  const name = settings.name ?? `luks-${header.uuid.replace(/[^\w-]/g, "_")}`;
  const label = header.label === "" ? "" : `, "${printable(header.label)}"`;
  const isOurs = new RegExp(`^CRYPT-LUKS[12]-${bareUuid(header.uuid).replace(/\W/g, "\\$&")}-`);
  const options = unlockOptions(scene, settings);
  const watched = { device, header, bound: options.kdfBound ?? null };
  const told = new Set<string>();
  const untried = () => listUntried(header, options).map((reason) => `${printable(reason)}, so it is not tried`);
  scene.deriver.prepare(header);
  return {
    name,
    text: `LUKS${header.version}${label}`,
    isGuess: false,
    isMapping: ({ uuid }) => isOurs.test(uuid),
    check() {
      const { integrity } = planData(header, device, settings);
      if (options.kdfBound) warnOnce(scene, device, told, untried());
      usableKeyslots(header, options);
      for (const target of ["crypt", ...(integrity === null ? [] : ["integrity"])]) requireTarget(scene, target);
      requireFreeNames(scene.machine, integrity === null ? [name] : [name, `${name}_dif`]);
    },
    open(secret) {
      const plan = planData(header, device, settings);
      const unlocked = unlock(header, secret, { ...options, deriveKey: deriveForVolume(scene, watched) });
      if (unlocked.kind !== "unlocked") {
        warnOnce(scene, device, told, untried());
        return null;
      }
      try {
        return openData(scene, device, { header, plan, settings, name }, unlocked.volumeKey);
      } finally {
        wipe(unlocked.volumeKey);
      }
    },
  };
}

function warnOnce({ voice }: Scene, { node }: BlockDevice, told: Set<string>, texts: readonly string[]): void {
  for (const text of texts) if (!told.has(text)) voice.warn(`${node}: ${text}`);
  for (const text of texts) told.add(text);
}

interface Opening {
  readonly header: LuksHeader;
  readonly plan: CryptMapping;
  readonly settings: CryptSettings;
  readonly name: string;
}

function planData(header: LuksHeader, { sizeBytes }: BlockDevice, { header: place, allowsNull }: CryptSettings) {
  return planMapping(header, { bytes: sizeBytes, isDetached: place !== null, allowsNull });
}

function openData(
  scene: Scene,
  device: BlockDevice,
  { header, plan, settings, name }: Opening,
  key: Uint8Array,
): Mapping {
  const { voice, machine } = scene;
  for (const flag of plan.unknownFlags) voice.warn(`${device.node}: unknown flag ${printable(flag)}, ignoring`);
  const readOnly = settings.isReadOnly || isWriteProtected(machine, device);
  const uuid = mappingUuid(`LUKS${header.version}`, header.uuid, name);
  const below = plan.integrity && {
    ...{ name, readOnly, integrity: plan.integrity, node: device.node, device: device.number },
    uuid: mappingUuid("SUBDEV", header.uuid, `${name}_dif`),
    ...{ offsetSectors: plan.offsetSectors, sectorBytes: plan.sectorBytes },
    hasJournal: !header.flags.includes("no-journal"),
  };
  const integrity = below && createIntegrityMapping(scene, below);
  const request = {
    ...{ name, uuid, readOnly, cipher: plan.cipher, ivOffset: plan.ivOffset },
    device: integrity?.device ?? device.number,
    offsetSectors: integrity === null ? plan.offsetSectors : 0,
    sizeSectors: integrity?.sectors ?? plan.sizeSectors,
    options: [...new Set([...plan.options, ...settings.options])],
    // As libcryptsetup names it, which finds it again by that.
    keyDescription: `cryptsetup:${header.uuid}-d${dataDigest(header)}`,
  };
  try {
    return createCryptMapping(scene, request, key);
  } catch (error) {
    if (integrity !== null) dropQuietly(machine, integrity.mapping);
    throw error;
  }
}

/** What is refused here is not worth more than the refusal before it. */
function dropQuietly(machine: Machine, mapping: Mapping): void {
  try {
    removeMapping(machine, mapping);
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
}

/** The number of the digest that checks the key of the data. */
function dataDigest({ digests, segments }: LuksHeader): number {
  const data = segments.find(({ flags }) => !isBackup(flags))?.id ?? 0;
  return digests.find((digest) => digest.segments.includes(data))?.id ?? 0;
}

function readOwnHeader(machine: Machine, { node }: BlockDevice): LuksHeader {
  const reader = machine.openReader(node);
  try {
    return readLuksHeader(reader);
  } finally {
    reader.close();
  }
}

function unlockOptions(scene: Scene, settings: CryptSettings): Omit<UnlockOptions, "deriveKey"> {
  const { machine, modules } = scene;
  const { keyslot, allowsNull } = settings;
  const byKernel = kernelDecryptor(machine, (name) => void modules.loadByAlias(name));
  const decryptors = [aesDecryptor, ...(allowsNull ? [nullDecryptor] : []), byKernel];
  const findHash = createFindHash(machine);
  const limits = { allowsNull, memoryBytes: readAvailableMemory(machine), decryptors, findHash };
  return { ...limits, keyslot, kdfBound: kdfBound(scene, settings) };
}

/** True for what nothing can be written to: a loop device of an image, a CD. */
export function isWriteProtected(machine: Machine, { name }: Pick<BlockDevice, "name">): boolean {
  const path = `/sys/class/block/${name}/ro`;
  return machine.stat(path) !== null && readText(machine, path) === "1";
}
