import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Machine } from "../../../machine/machine.ts";
import { isMadeOf } from "../../mapping.ts";
import type { Scene } from "../../opener.ts";
import { specText } from "../../search-words.ts";
import type { Progress, Volume } from "./state.ts";

/** Chooses the device of a volume; false where it is not there. What is known of another one that went is forgotten, whatever its name and number: neither header nor key may be taken for those of the next. */
export function findDevice(scene: Scene, volume: Volume): boolean {
  const found = chooseDevice(scene, volume);
  if (found !== volume.device) {
    switchTo(volume, found);
    Object.assign(volume, { sinceMs: scene.machine.nowMs(), wasWrong: false });
  }
  return found !== null;
}

/**
 * Goes on to the next device that the volume's spec matches and on which not every key and passphrase was tried: a UUID is
 * public, so what tells the right one is the secret that opens it, not which came first. False where there is none.
 */
export function tryNextDevice(scene: Scene, volume: Volume, passphrases: number): boolean {
  const isUntried = (device: BlockDevice) => {
    const known = volume.progress.get(device);
    if (known === undefined) return passphrases > 0 || volume.wish.keys.length > 0 || volume.isRefused;
    return !known.isRefused && known.triedPassphrases < passphrases;
  };
  const next = listDevices(scene, volume).find((device) => device !== volume.device && isUntried(device));
  if (next === undefined) return false;
  switchTo(volume, next);
  return true;
}

function switchTo(volume: Volume, device: BlockDevice | null): void {
  const { lock, triedKeys, triedPassphrases, isRefused } = volume;
  if (volume.device !== null) volume.progress.set(volume.device, { lock, triedKeys, triedPassphrases, isRefused });
  const known = device === null ? undefined : volume.progress.get(device);
  Object.assign(volume, known ?? newProgress(), { device });
}

/** Of a device on which nothing was tried. */
export function newProgress(): Progress {
  return { lock: null, triedKeys: new Map(), triedPassphrases: 0, isRefused: false };
}

/** The one that is in use, else one that is open already, for a person has chosen it, else the first. */
function chooseDevice(scene: Scene, volume: Volume): BlockDevice | null {
  const { wish, device } = volume;
  const found = listDevices(scene, volume);
  const isOpen = ({ name }: BlockDevice) => isMapped(scene.machine, name);
  const open = found.length > 1 && device === null ? found.find(isOpen) : undefined;
  const chosen = found.find((one) => one === device) ?? open ?? found[0] ?? null;
  if (chosen !== null && found.length > 1 && !volume.isAmbiguityTold) {
    const nodes = found.map(({ node }) => node).join(" and ");
    scene.voice.warn(`${found.length} devices match ${specText(wish.device)}: ${nodes}; trying each`);
    volume.isAmbiguityTold = true;
  }
  return chosen;
}

/** All that the spec matches. A label or UUID means a LUKS header's own: filesystems may have the same. */
export function listDevices(scene: Scene, { wish }: Volume): readonly BlockDevice[] {
  const isByHeader = wish.plain === null && wish.header === null && ["label", "uuid"].includes(wish.device.by);
  return scene.find(wish.device).filter(({ facts }) => !isByHeader || facts.type === "crypto_LUKS");
}

function isMapped(machine: Machine, name: string): boolean {
  return machine
    .listMappings()
    .some((mapping) => mapping.uuid.startsWith("CRYPT-") && isMadeOf(machine, mapping, name));
}

/** True where its device went, or is another one now. */
export function isGone(scene: Pick<Scene, "devices">, { device }: Volume): boolean {
  return device !== null && !scene.devices().includes(device);
}
