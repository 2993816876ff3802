import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import { resolveModule } from "../../../drivers/index/resolution.ts";
import { KEYMAP_DIRECTORY, KEYMAP_ENDING } from "../../../formats/keymap.ts";
import type { LuksHeader } from "../../../formats/luks/header.ts";
import { readLuksHeader } from "../../../formats/luks/read-header.ts";
import { findObstacle } from "../../../keys/obstacles.ts";
import { keyslotsToTry } from "../../../keys/unlock.ts";
import { readTotalMemory } from "../../../machine/small-files.ts";
import { BootError, isErrno } from "../../../problems/errors.ts";
import { sentence } from "../../../problems/report.ts";
import { listCipherAliases } from "../../../storage/kinds/crypt/dm-crypt.ts";
import { asksForPassphrase } from "../../modules/host-modules.ts";
import { type Finding, finding } from "../finding.ts";
import type { PlannedPatient } from "../patient.ts";

/** Checks that each encrypted device below the root is unlocked, and can be: keyslots, memory, ciphers, keymap. */
export function checkCrypt(patient: PlannedPatient): readonly Finding[] {
  const { plan, view, needs } = patient;
  const headers = listHeaders(patient);
  const { keymap } = plan;
  const isKeymapLacking =
    keymap !== null && view.stat(`${KEYMAP_DIRECTORY}/${keymap}${KEYMAP_ENDING}`)?.kind !== "file";
  const isTyped = asksForPassphrase(needs) || headers.length > 0;
  return [
    ...headers.flatMap((device) => [...checkAsked(patient, device), ...checkHeader(patient, device)]),
    ...(isTyped && isKeymapLacking ? [finding("keymap-missing", { keymap })] : []),
  ];
}

/** Lists the devices with a LUKS header on which the root lies, or which root= names itself. */
function listHeaders({ devices, needs, roots }: PlannedPatient): readonly BlockDevice[] {
  const below = needs.volumes.filter(({ kind }) => kind === "luks").flatMap(({ on }) => on);
  const isHeader = ({ name, facts }: BlockDevice) =>
    facts.type === "crypto_LUKS" && (below.includes(name) || roots.some((root) => root.name === name));
  return devices.filter(isHeader);
}

function checkAsked({ plan, roots, find }: PlannedPatient, device: BlockDevice): readonly Finding[] {
  const { crypt } = plan;
  const isNamed =
    crypt.everyLuks || roots.includes(device) || crypt.volumes.some((volume) => find(volume.device).includes(device));
  if (isNamed && !crypt.isOff) return [];
  return [finding("crypt-not-asked", { device: device.node, uuid: device.facts.uuid ?? "UUID" })];
}

function checkHeader(patient: PlannedPatient, device: BlockDevice): readonly Finding[] {
  try {
    const header = withReader(patient.machine, device.node, readLuksHeader);
    return [...checkKeyslots(patient, device, header), ...checkCiphers(patient, device, header)];
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    return [finding("crypt-locked", { device: device.node, problem: sentence(error) })];
  }
}

function checkKeyslots(
  { machine, image }: PlannedPatient,
  device: BlockDevice,
  header: LuksHeader,
): readonly Finding[] {
  const totalBytes = readTotalMemory(machine);
  // What the boot has when it asks for a passphrase: the rest is taken by the kernel, the image and the runtime.
  const memoryBytes = totalBytes === null ? null : Math.max(0, totalBytes - image.inspection.memory.withRoot);
  // Ciphers have a check of their own: which the kernel has depends on its modules.
  const decryptors = [{ handles: () => true, decrypt: () => new Uint8Array() }];
  const obstacles = keyslotsToTry(header, null).map((slot) => ({
    slot,
    obstacle: findObstacle(header, slot, { memoryBytes, totalBytes, allowsNull: false, decryptors }),
  }));
  if (obstacles.some(({ obstacle }) => obstacle === null)) return [];
  const problem = obstacles.map(({ slot, obstacle }) => `keyslot ${slot.id} ${obstacle?.reason}`).join("; ");
  return [finding("crypt-locked", { device: device.node, problem: problem || "it has no keyslot" })];
}

function checkCiphers({ modules }: PlannedPatient, device: BlockDevice, header: LuksHeader): readonly Finding[] {
  if (modules === null) return [];
  const ciphers = [...new Set(header.segments.flatMap(({ crypt }) => crypt?.cipher ?? []))];
  return ciphers.flatMap((cipher) =>
    listCipherAliases(cipher)
      .filter((alias) => resolveModule(modules, alias).every(({ missing }) => missing.length > 0))
      .map((alias) =>
        finding("cipher-missing", { device: device.node, cipher, module: alias.slice("crypto-".length) }),
      ),
  );
}
