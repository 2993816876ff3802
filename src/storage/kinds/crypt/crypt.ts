import { wipe } from "../../../crypto/secret.ts";
import type { BlockDevice } from "../../../devices/block-devices.ts";
import { ofType } from "../../../devices/of-type.ts";
import { createDeriver } from "../../../keys/deriver.ts";
import { AUTO_MAX_KDF_MS } from "../../../plan/crypt/crypt.ts";
import type { CryptVolume } from "../../../plan/plan.ts";
import { problem } from "../../../problems/problem.ts";
import type { Assembly, Round, StorageContext, StoragePlan } from "../../contract.ts";
import { specText } from "../../search-words.ts";
import { liesInVolume } from "../../trust.ts";
import type { CryptContext } from "./derivation.ts";
import { isDispensable, untriedKeys } from "./next-action.ts";
import { listKeySources } from "./places.ts";
import { askForVolume } from "./prompt.ts";
import { describeState, describeWait, hasNews, requiredOf, troublesOf } from "./report.ts";
import { newVolume, type Volume } from "./state.ts";
import { advance, isGone, type Standing } from "./volume.ts";

const LUKS = "crypto_LUKS";

interface Unlocking {
  readonly context: CryptContext;
  readonly plan: Pick<StoragePlan, "crypt" | "keymap" | "roots" | "layers" | "part">;
  readonly volumes: Volume[];
  /** Those of earlier searches, then all that were typed; each is tried on every volume. */
  readonly passphrases: Uint8Array[];
  hasAllDrivers: boolean;
}

/** Opens encrypted volumes (LUKS, plain dm-crypt): those that the plan names, all with rd.auto, and a root that is one itself. */
export function startCrypt(shared: StorageContext, plan: StoragePlan): Assembly {
  const { machine, passphrases: kept = [] } = shared;
  const context = { ...shared, deriver: createDeriver(machine), passphrases: kept, earlier: new Set(kept) };
  const volumes = plan.crypt.volumes.map((wish) => startVolume(context, wish, "asked"));
  const unlocking: Unlocking = { context, plan, volumes, passphrases: [...kept], hasAllDrivers: false };
  return {
    advance: (candidate) => advanceAll(unlocking, candidate),
    links: () =>
      volumes.flatMap(({ attempt, outcome }) =>
        attempt === null || outcome.kind !== "open"
          ? []
          : [{ from: [attempt.device.name], to: outcome.mapping.device, isReplacement: true }],
      ),
    state(device) {
      const volume = volumes.find(({ attempt }) => attempt?.device.name === device.name) ?? null;
      return volume === null && !isLuks(device) ? null : describeState(context, volume, isLuks(device));
    },
    problems: () => volumes.flatMap((volume) => troublesOf(context, volume)),
    required: () => volumes.flatMap((volume) => requiredOf(context, volume)),
    close() {
      wipe(...unlocking.passphrases.filter((one) => shared.passphrases?.includes(one) !== true));
      context.deriver.close();
    },
  };
}

function startVolume({ tries }: StorageContext, wish: CryptVolume, origin: Volume["origin"]): Volume {
  return newVolume(wish, origin, tries.get(specText(wish.device)) ?? 0);
}

function advanceAll(unlocking: Unlocking, candidate: BlockDevice | null): Round {
  const { context, volumes, plan } = unlocking;
  const root = candidate !== null && context.state(candidate)?.kind !== "incomplete" ? candidate : null;
  if (plan.crypt.isOff) {
    if (root === null || !isLuks(root)) return "idle";
    throw problem("unlocking-is-off", { part: plan.part ?? "root", name: root.node });
  }
  collectUnnamed(unlocking, root);
  // From here on the user may type a passphrase, before the first prompt and while a key is derived too.
  if (volumes.length > 0) context.terminals.hold();
  const isNeeded = (volume: Volume) => root === null || isLuks(root) || !isDispensable(volume);
  const standings = advanceEach(unlocking, (volume) => isNeeded(volume) || isDoubted(unlocking, root, volume));
  if ([...standings.values()].includes("opened")) return "changed";
  const those = (wanted: Standing) => volumes.filter((volume) => standings.get(volume) === wanted && isNeeded(volume));
  const [first] = those("ask");
  if (first === undefined) return describeWait(context, those("wait")) ?? "idle";
  // The other drivers are loaded during the prompt. All are needed first if there is no console yet, or if the volume is optional:
  // one of them may bring the root, which then needs no passphrase.
  const mayAsk = unlocking.hasAllDrivers || (!isDispensable(first) && context.terminals.hold().length > 0);
  if (mayAsk) ask(unlocking, volumes.indexOf(first), first);
  else context.drivers.loadAll();
  unlocking.hasAllDrivers ||= !mayAsk;
  return "changed";
}

/** Returns how each wanted volume stands. Once one is open, the root may be in it, and the others can wait; but layers may lie in other volumes, which the same passphrase opens. */
function advanceEach({ context, volumes, passphrases, plan }: Unlocking, isWanted: (volume: Volume) => boolean) {
  const hasLayers = plan.layers.some(({ kind }) => kind === "device");
  const standings = new Map<Volume, Standing>();
  for (const [index, before] of volumes.entries()) {
    if (!isWanted(before)) continue;
    const { volume, standing } = advance(context, before, passphrases);
    volumes[index] = volume;
    standings.set(volume, standing);
    if (standing === "opened" && !hasLayers) break;
  }
  return standings;
}

/** The prompt ends too if a device with a key or header appears, the volume's own goes, or the root comes without it. */
function ask({ context, plan, volumes, passphrases }: Unlocking, index: number, volume: Volume): void {
  const [root] = plan.roots;
  const isRootPresent = () => root !== undefined && context.matches(root).length > 0;
  context.takeEvents(); // what has come or gone while keys were derived
  const isNeeded = !isDispensable(volume) || isRootPresent();
  const isSettled = () =>
    isGone(context, volume) || volumes.some((one) => hasNews(context, one)) || (!isNeeded && isRootPresent());
  const prompted = askForVolume(context, volume, plan.keymap, isSettled);
  volumes[index] = prompted.volume;
  if (prompted.passphrase === null) return;
  passphrases.push(prompted.passphrase);
  if (volume.attempt?.lock?.isGuess === true) context.tries.set(specText(volume.wish.device), prompted.volume.asked);
}

/**
 * An encrypted root does not wait for an optional volume, whose key may take hours to derive. But an unencrypted root is not
 * accepted as the right one before every key and passphrase at hand was tried.
 */
function isDoubted({ context, passphrases }: Unlocking, root: BlockDevice | null, volume: Volume): boolean {
  const hasSecret =
    Math.max(volume.attempt?.triedPassphrases ?? 0, context.earlier.size) < passphrases.length ||
    untriedKeys(volume, listKeySources(context, volume.wish.keys)).length > 0;
  return hasSecret && root !== null && !liesInVolume(context.machine)(root);
}

/** Adds the LUKS volumes that are to be opened although no parameter names them. */
function collectUnnamed({ context, plan, volumes }: Unlocking, root: BlockDevice | null): void {
  const { unnamed, everyLuks } = plan.crypt;
  for (const device of ofType(context.devices(), LUKS)) {
    const isRoot = device.name === root?.name;
    if (!isRoot && !everyLuks) continue;
    const isIt = ({ attempt, wish }: Volume) =>
      attempt?.device.name === device.name || context.find(wish.device).includes(device);
    if (volumes.some(isIt)) continue;
    const own = { device: { by: "path", path: device.node }, name: null, plain: null, isOptional: false } as const;
    const maxKdfMs = unnamed.maxKdfMs ?? (isRoot ? null : AUTO_MAX_KDF_MS);
    volumes.push(startVolume(context, { ...unnamed, ...own, maxKdfMs }, isRoot ? "root" : "auto"));
  }
}

function isLuks({ facts }: BlockDevice): boolean {
  return facts.type === LUKS;
}
