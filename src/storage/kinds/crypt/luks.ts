import { createFindHash } from "../../../crypto/hash.ts";
import { wipe } from "../../../crypto/secret.ts";
import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import { isBackup, type LuksHeader } from "../../../formats/luks/header.ts";
import { readLuksHeader } from "../../../formats/luks/read-header.ts";
import { aesDecryptor, nullDecryptor } from "../../../keys/area-decryptor.ts";
import { kernelDecryptor } from "../../../keys/kernel-decryptor.ts";
import { type CryptMapping, planMapping } from "../../../keys/mapping.ts";
import { type KeyslotChoice, listUntried, unlock, usableKeyslots } from "../../../keys/unlock.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import { readAvailableMemory, readTotalMemory } from "../../../machine/small-files.ts";
import type { CryptSettings } from "../../../parameters/crypt/place.ts";
import { tolerateRefusal } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { expectTarget, isWriteProtected, removeMapping, requireFreeNames } from "../../device-mapper/mapping.ts";
import { type CryptContext, deriveForVolume, kdfBound } from "./derivation.ts";
import { createCryptMapping, expectCipher } from "./dm-crypt.ts";
import { createIntegrityMapping } from "./dm-integrity.ts";
import { bareUuid, type Lock, mappingUuid } from "./lock.ts";
import { readPlace } from "./places.ts";

/** Reads a LUKS header, once, and warns about what is unusual in it; null if it is on a device that is missing. Throws BootError for a header that is malformed or must not be used. */
export function prepareLuks(
  context: CryptContext,
  device: BlockDevice,
  settings: CryptSettings & { readonly name: string | null },
): Lock | null {
  const place = settings.header;
  const own = () => withReader(context.machine, device.node, readLuksHeader);
  const header = place === null ? own() : readPlace(context, place, readLuksHeader);
  if (header === null) return null;
  for (const warning of header.warnings) context.voice.warn(`${device.node}: ${printable(warning)}`);
  const name = settings.name ?? `luks-${header.uuid.replace(/[^\w-]/g, "_")}`;
  const label = header.label === "" ? "" : `, "${printable(header.label)}"`;
  const isOurs = new RegExp(`^CRYPT-LUKS[12]-${bareUuid(header.uuid).replace(/\W/g, "\\$&")}-`);
  const options = unlockOptions(context, settings);
  const watched = { device, header, bound: options.kdfBound ?? null };
  const said = new Set<string>();
  const untried = () => listUntried(header, options).map((reason) => `${printable(reason)}, so it is not tried`);
  context.deriver.prepare(header);
  return {
    name,
    text: `LUKS${header.version}${label}`,
    isGuess: false,
    isMapping: ({ uuid }) => isOurs.test(uuid),
    check() {
      const { integrity, cipher } = planData(header, device, settings);
      if (options.kdfBound) warnOnce(context, device, said, untried());
      usableKeyslots(header, options);
      for (const target of ["crypt", ...(integrity === null ? [] : ["integrity"])]) expectTarget(context, target);
      expectCipher(context, cipher);
      requireFreeNames(context.machine, integrity === null ? [name] : [name, `${name}_dif`]);
      // dm-integrity replays its journal.
      if (integrity !== null) context.beforeWriting();
    },
    open(secret) {
      const plan = planData(header, device, settings);
      const unlocked = unlock(header, secret, { ...options, deriveKey: deriveForVolume(context, watched) });
      if (unlocked.kind !== "unlocked") {
        warnOnce(context, device, said, untried());
        return null;
      }
      try {
        return openData(context, device, { header, plan, settings, name }, unlocked.volumeKey);
      } finally {
        wipe(unlocked.volumeKey);
      }
    },
  };
}

function warnOnce({ voice }: CryptContext, { node }: BlockDevice, said: Set<string>, texts: readonly string[]): void {
  for (const text of texts) if (!said.has(text)) voice.warn(`${node}: ${text}`);
  for (const text of texts) said.add(text);
}

function planData(header: LuksHeader, { sizeBytes }: BlockDevice, { header: place, allowsNull }: CryptSettings) {
  return planMapping(header, { bytes: sizeBytes, isDetached: place !== null, allowsNull });
}

function openData(
  context: CryptContext,
  device: BlockDevice,
  {
    header,
    plan,
    settings,
    name,
  }: Readonly<{ header: LuksHeader; plan: CryptMapping; settings: CryptSettings; name: string }>,
  key: Uint8Array,
): Mapping {
  const { voice, machine } = context;
  for (const flag of plan.unknownFlags) voice.warn(`${device.node}: unknown flag ${printable(flag)}, ignoring`);
  const readOnly = settings.isReadOnly || isWriteProtected(machine, device);
  const uuid = mappingUuid(`LUKS${header.version}`, header.uuid, name);
  const { tagBytes } = plan.integrity ?? {};
  const part = `${name}_dif`;
  const below = { name: part, uuid: mappingUuid("SUBDEV", header.uuid, part), readOnly };
  const hasJournal = !header.flags.includes("no-journal");
  const integrity =
    tagBytes === undefined ? null : createIntegrityMapping(context, device, { ...plan, tagBytes, hasJournal }, below);
  const request = {
    ...plan,
    name,
    uuid,
    readOnly,
    device: integrity?.device ?? device.number,
    offsetSectors: integrity === null ? plan.offsetSectors : 0,
    sizeSectors: integrity?.sectors ?? plan.sizeSectors,
    options: [...new Set([...plan.options, ...settings.options])],
    // As libcryptsetup names it, which finds it again by that.
    keyDescription: `cryptsetup:${header.uuid}-d${dataDigest(header)}`,
  };
  try {
    return createCryptMapping(context, request, key);
  } catch (error) {
    // The refusal that led here matters more than one of this.
    tolerateRefusal(() => integrity && removeMapping(machine, integrity.mapping));
    throw error;
  }
}

/** The number of the digest that checks the key of the data. */
function dataDigest({ digests, segments }: LuksHeader): number {
  const data = segments.find(({ flags }) => !isBackup(flags))?.id ?? 0;
  return digests.find((digest) => digest.segments.includes(data))?.id ?? 0;
}

function unlockOptions(context: CryptContext, settings: CryptSettings): KeyslotChoice {
  const { machine, drivers } = context;
  const { keyslot, allowsNull } = settings;
  const byKernel = kernelDecryptor(machine, (name) => void drivers.loadByAlias(name));
  const decryptors = [aesDecryptor, ...(allowsNull ? [nullDecryptor] : []), byKernel];
  const findHash = createFindHash(machine);
  const memory = { memoryBytes: readAvailableMemory(machine), totalBytes: readTotalMemory(machine) };
  const limits = { allowsNull, ...memory, decryptors, findHash };
  return { ...limits, keyslot, kdfBound: kdfBound(context, settings) };
}
