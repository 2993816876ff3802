import { wipe } from "../../../crypto/secret.ts";
import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { DeviceSpec } from "../../../parameters/device-spec.ts";
import { AUTO_MAX_KDF_MS } from "../../../plan/crypt/crypt.ts";
import type { CryptPlan, CryptVolume } from "../../../plan/crypt/crypt-plan.ts";
import type { BootPlan } from "../../../plan/plan.ts";
import { BootError } from "../../../problems/errors.ts";
import type { Opener, RequiredVolume, Round, Scene } from "../../opener.ts";
import { specText } from "../../search-words.ts";
import { liesInVolume } from "../../trust.ts";
import { listDevices } from "./device.ts";
import { hasUntriedKey } from "./key-files.ts";
import { askForVolume } from "./prompt.ts";
import { createVolume, type Volume } from "./state.ts";
import { advance, isDispensable, isOutOfTries, type Standing } from "./volume.ts";
import { describeLocked, describeMissing, describeWait } from "./words.ts";

/** How often a person was asked in vain, by volume: a mount that fails may mean a wrong passphrase, and the tries are counted over it. */
export type Guesses = Map<string, number>;

/** What the opener knows and has done. */
interface Unlocking {
  readonly scene: Scene;
  readonly plan: CryptPlan;
  readonly keymap: string | null;
  readonly guesses: Guesses;
  readonly isRootThere: () => boolean;
  /** True where layers of the root may lie in other volumes: then what was typed is tried on all of them at once. */
  readonly hasLayers: boolean;
  readonly volumes: Volume[];
  /** All that were typed; each is tried on every volume. */
  readonly passphrases: Uint8Array[];
  hasAllDrivers: boolean;
}

/** Opens encrypted volumes: those that the plan names, all with rd.auto, and a root that is one itself. */
export function createCryptOpener(
  scene: Scene,
  {
    crypt: plan,
    keymap,
    roots: [root],
    layers,
  }: Pick<BootPlan, "crypt" | "keymap" | "layers"> & { readonly roots: readonly DeviceSpec[] },
  guesses: Guesses,
): Opener {
  const passphrases: Uint8Array[] = [];
  const isRootThere = () => root !== undefined && scene.matches(root).length > 0;
  const volumes = plan.volumes.map((wish) => newVolume(wish, "asked", guesses));
  const state: Unlocking = {
    ...{ scene, plan, keymap, guesses, isRootThere, volumes },
    hasLayers: layers.some(({ kind }) => kind === "device"),
    ...{ passphrases, hasAllDrivers: false },
  };
  const volumeOf = (device: BlockDevice) => volumes.find((volume) => volume.device?.name === device.name) ?? null;
  return {
    open: (found) => openOnce(state, found),
    inside(device) {
      const made = volumeOf(device)?.mapping?.device;
      return scene.devices().find(({ name }) => name === made) ?? null;
    },
    isClosed: (device) => isLuks(device) && (volumeOf(device)?.mapping ?? null) === null,
    isGuess(device) {
      const volume = volumeOf(device);
      return volume?.isGuessed === true && !isOutOfTries(volume);
    },
    describe: (device) => (isLuks(device) || volumeOf(device) ? describeLocked(scene, volumeOf(device)) : null),
    required: () => volumes.filter(isRequired).map((volume) => locate(scene, volume)),
    missing: () =>
      volumes.filter((volume) => isLookedAt(scene, volume)).flatMap((volume) => describeMissing(volume) ?? []),
    failure: () => volumes.find(isFatal)?.failure ?? null,
    close: () => wipe(...state.passphrases),
  };
}

function newVolume(wish: CryptVolume, origin: Volume["origin"], guesses: Guesses): Volume {
  return createVolume(wish, origin, guesses.get(specText(wish.device)) ?? 0);
}

function openOnce(state: Unlocking, root: BlockDevice | null): Round {
  const { scene, volumes, passphrases } = state;
  if (state.plan.isOff) return refuseRoot(root);
  collectUnnamed(state, root);
  // From here on a person may type a passphrase, before the first prompt and while a key is derived too.
  if (volumes.length > 0) scene.terminals.hold();
  const isNeeded = (volume: Volume) => root === null || isLuks(root) || !isDispensable(volume);
  const standings: { readonly volume: Volume; readonly standing: Standing }[] = [];
  for (const volume of volumes) {
    if (!isNeeded(volume) && !isDoubted(state, root, volume)) continue;
    const standing = advance(scene, volume, passphrases);
    if (standing === "opened" && !state.hasLayers) return "changed"; // the root may be in it, and then the others can wait
    standings.push({ volume, standing });
  }
  if (standings.some(({ standing }) => standing === "opened")) return "changed";
  const those = (wanted: Standing) =>
    standings.flatMap(({ standing, volume }) => (standing === wanted && isNeeded(volume) ? [volume] : []));
  const [first] = those("asks");
  if (first === undefined) return describeWait(scene, those("waits")) ?? "idle";
  if (state.hasAllDrivers) askForVolume(state, first);
  else scene.modules.loadAll(); // the keyboard's driver may be one that a boot leaves out, or the key stick's
  state.hasAllDrivers = true;
  return "changed";
}

/**
 * A volume that a boot can do without keeps no encrypted root waiting, for its key may take hours to derive. But a root that is
 * not encrypted is not believed to be the one that was meant before every key and passphrase that is at hand was tried.
 */
function isDoubted({ scene, passphrases }: Unlocking, root: BlockDevice | null, volume: Volume): boolean {
  const hasSecret = volume.triedPassphrases < passphrases.length || hasUntriedKey(scene, volume);
  return hasSecret && root !== null && !liesInVolume(scene.machine)(root);
}

/** rd.luks=0. */
function refuseRoot(root: BlockDevice | null): Round {
  if (root === null || !isLuks(root)) return "idle";
  throw new BootError(`the root ${root.node} is encrypted, and rd.luks=0 lets nothing be unlocked`, {
    hint: "`levain retry rd.luks=1` unlocks it",
  });
}

/** LUKS volumes that are to be opened though no parameter names them. */
function collectUnnamed(state: Unlocking, root: BlockDevice | null): void {
  const { scene, plan, volumes } = state;
  for (const device of scene.devices()) {
    const isRoot = device.name === root?.name;
    if (!isLuks(device) || !(isRoot || plan.everyLuks)) continue;
    const isKnown = volumes.some(
      (volume) => volume.device?.name === device.name || scene.find(volume.wish.device).includes(device),
    );
    if (isKnown) continue;
    const own = { device: { by: "path", path: device.node }, name: null, plain: null, isOptional: false } as const;
    const maxKdfMs = plan.unnamed.maxKdfMs ?? (isRoot ? null : AUTO_MAX_KDF_MS);
    volumes.push(newVolume({ ...plan.unnamed, ...own, maxKdfMs }, isRoot ? "root" : "auto", state.guesses));
  }
}

/** Before its device was looked at it may be there all the same. */
function locate(scene: Scene, volume: Volume): RequiredVolume {
  const outside = volume.device ?? listDevices(scene, volume)[0];
  return { outside: outside?.name ?? null, inside: volume.mapping?.device ?? null };
}

/** True where the root has to lie in it, or in another such volume. */
function isRequired({ origin, wish }: Volume): boolean {
  return origin === "asked" && !wish.isOptional;
}

/** False for one that is there and that nobody has needed. */
function isLookedAt(scene: Scene, volume: Volume): boolean {
  return volume.device !== null || listDevices(scene, volume).length === 0;
}

/** True where the boot was told to open it and cannot: to go on waiting would be in vain. */
function isFatal({ failure, wish, origin, asked }: Volume): boolean {
  return failure !== null && ((origin !== "auto" && !wish.isOptional) || asked > 0);
}

function isLuks({ facts }: BlockDevice): boolean {
  return facts.type === "crypto_LUKS";
}
