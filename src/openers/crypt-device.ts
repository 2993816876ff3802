import type { Machine } from "../machine/machine.ts";
import type { BlockDevice } from "../steps/block-devices.ts";
import { specText } from "../steps/search-words.ts";
import type { Volume } from "./crypt-volume.ts";
import { isMadeOf } from "./mapping.ts";
import type { Scene } from "./opener.ts";

/** Chooses the device of a volume; false where it is not there. What is known of another one that went is forgotten, whatever its name and number: neither header nor key may be taken for those of the next. */
export function findDevice(scene: Scene, volume: Volume): boolean {
  const found = chooseDevice(scene, volume);
  if (found !== volume.device) {
    const forgotten = { lock: null, triedPassphrases: 0, wasWrong: false };
    Object.assign(volume, { ...forgotten, device: found, sinceMs: scene.machine.nowMs() });
    volume.triedKeys.clear();
  }
  return found !== null;
}

/** The first that the spec names, but rather one that is open already: a person has chosen it. A label or UUID means a LUKS header's own: filesystems may have the same. */
function chooseDevice(scene: Scene, volume: Volume): BlockDevice | null {
  const { wish, device } = volume;
  const isByHeader = wish.plain === null && wish.header === null && ["label", "uuid"].includes(wish.device.by);
  const found = scene.find(wish.device).filter(({ facts }) => !isByHeader || facts.type === "crypto_LUKS");
  const isOpen = ({ name }: BlockDevice) => isMapped(scene.machine, name);
  const open = found.length > 1 && device === null ? found.find(isOpen) : undefined;
  const chosen = found.find((one) => one === device) ?? open ?? found[0] ?? null;
  if (chosen !== null && found.length > 1 && !volume.isAmbiguityTold) {
    const nodes = found.map(({ node }) => node).join(" and ");
    scene.voice.warn(`${found.length} devices match ${specText(wish.device)}: ${nodes}; unlocking ${chosen.node}`);
    volume.isAmbiguityTold = true;
  }
  return chosen;
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
