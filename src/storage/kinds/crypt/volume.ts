import { wipe } from "../../../crypto/secret.ts";
import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import { BootError, isErrno } from "../../../problems/errors.ts";
import { isProblem, problem } from "../../../problems/problem.ts";
import { sentence } from "../../../problems/report.ts";
import { rememberTyped } from "../../device-mapper/mapping.ts";
import { specText } from "../../search-words.ts";
import type { CryptContext } from "./derivation.ts";
import { isMadeOf, type Lock } from "./lock.ts";
import { prepareLuks } from "./luks.ts";
import { type Action, begun, nextAction, nextDevice } from "./next-action.ts";
import { describePlace, listKeySources, readKey } from "./places.ts";
import { preparePlain } from "./plain.ts";
import {
  type Attempt,
  adopted,
  changeAttempt,
  failed,
  type KeySource,
  opened,
  seen,
  switched,
  type Volume,
} from "./state.ts";

/** What a volume needs next: it was just opened; it waits for a device with a key or header; the user has to be asked; or nothing can be done. */
export type Standing = "opened" | "wait" | "ask" | "rest";

/** Does with a volume what can be done without the user; returns it as it is then. Throws BootError if the user gives up. */
export function advance(
  context: CryptContext,
  volume: Volume,
  passphrases: readonly Uint8Array[],
): { readonly volume: Volume; readonly standing: Standing } {
  if (volume.outcome.kind !== "locked") return { volume, standing: "rest" };
  let state = lookAt(context, volume);
  const done = new Set<Action["kind"]>();
  const { keys } = volume.wish;
  for (;;) {
    try {
      const found = listDevices(context, state);
      const view = { found, passphrases: passphrases.length, nowMs: context.machine.nowMs(), done };
      const action = nextAction(state, { ...view, sources: () => listKeySources(context, keys) });
      if (action.kind === "rest" || action.kind === "wait" || action.kind === "ask") {
        return { volume: state, standing: action.kind };
      }
      state = begun(state, action, found);
      state = act(context, state, action, passphrases);
      done.add(action.kind);
      if (action.kind === "switch") done.clear();
    } catch (error) {
      const next = afterError(context, state, error, passphrases.length);
      if (next === null) return { volume: state, standing: "rest" };
      state = next;
      done.clear();
    }
    if (state.outcome.kind === "open") return { volume: state, standing: "opened" };
  }
}

function lookAt(context: CryptContext, volume: Volume): Volume {
  const { machine, voice } = context;
  const found = listDevices(context, volume);
  const isOpen = ({ name }: BlockDevice) =>
    machine.listMappings().some((mapping) => mapping.uuid.startsWith("CRYPT-") && isMadeOf(machine, mapping, name));
  const now = seen(volume, found, machine.nowMs(), isOpen);
  if (now.isAmbiguous && !volume.isAmbiguous) {
    const nodes = found.map(({ node }) => node).join(" and ");
    voice.warn(`${found.length} devices match ${specText(volume.wish.device)}: ${nodes}; trying each`);
  }
  return now;
}

function act(context: CryptContext, volume: Volume, action: Action, passphrases: readonly Uint8Array[]): Volume {
  const { attempt } = volume;
  const lock = attempt?.lock ?? null;
  switch (action.kind) {
    case "prepare":
      return attempt === null ? volume : changeAttempt(volume, { lock: prepare(context, volume, attempt.device) });
    case "check":
      return attempt === null ? volume : check(context, volume, attempt);
    case "key": {
      const mapping = lock && tryKey(context, volume, lock, action.source);
      return mapping === null ? volume : opened(volume, mapping);
    }
    case "passphrase":
      return lock === null ? volume : tryPassphrase(context, volume, lock, passphrases[action.index]);
    case "give up":
      throw problem("passphrases-wrong", { count: volume.asked });
    default:
      return volume;
  }
}

/** Keeps a passphrase that has opened the volume for the searches that follow. */
function tryPassphrase(context: CryptContext, volume: Volume, lock: Lock, passphrase: Uint8Array | undefined): Volume {
  const { machine, passphrases, earlier } = context;
  // If the mount of what was guessed fails, the user is asked again: a search must not repeat the guess without asking.
  if (passphrase === undefined || (lock.isGuess && earlier.has(passphrase))) return volume;
  const mapping = lock.open(passphrase, "passphrase");
  if (mapping === null) return volume;
  rememberTyped(machine, mapping.name);
  if (!lock.isGuess && !passphrases.includes(passphrase)) passphrases.push(passphrase);
  return opened(volume, mapping, !lock.isGuess);
}

/** Adopts what is open already. */
function check(context: CryptContext, volume: Volume, { device, lock }: Attempt): Volume {
  const mapping = lock && findMapping(context, lock, device);
  if (mapping === null) {
    lock?.check();
    return volume;
  }
  context.look(mapping.device);
  return adopted(volume, mapping);
}

/** The state from which the round goes on; null if the device went away, which ends it. */
function afterError(context: CryptContext, volume: Volume, error: unknown, passphrases: number): Volume | null {
  if (!(error instanceof BootError) && !isErrno(error)) throw error;
  const failure = problem("volume-locked", { volume: describeVolume(volume) }, { cause: error });
  if (isProblem(error, "derivation-cancelled")) throw failure;
  context.takeEvents();
  if (isGone(context, volume)) {
    context.voice.warn(`${describeVolume(volume)} went away while it was being unlocked`);
    return null;
  }
  const found = listDevices(context, volume);
  const refused = changeAttempt(volume, { isRefused: true });
  const next = nextDevice(refused, { found, passphrases });
  if (next === null) return failed(refused, failure);
  context.voice.warn(sentence(failure));
  return switched(refused, next, found);
}

function prepare(context: CryptContext, { wish }: Volume, device: BlockDevice): Lock | null {
  const { plain } = wish;
  const isLuks = plain === null || (plain.unlessLuks && device.facts.type === "crypto_LUKS");
  return isLuks ? prepareLuks(context, device, wish) : preparePlain(context, device, wish, plain);
}

/**
 * What `levain unlock` or an earlier try has opened; not what was made of another device with the same header. Device mapper was loaded
 * for it, so it is not loaded to look.
 */
function findMapping({ machine }: CryptContext, lock: Lock, { name }: BlockDevice): Mapping | null {
  return machine.listMappings().find((one) => lock.isMapping(one) && isMadeOf(machine, one, name)) ?? null;
}

const NEWLINE = 0x0a;

/** Warns about a key that cannot be read or is wrong: there may be another, or the user. */
function tryKey(context: CryptContext, volume: Volume, lock: Lock, source: KeySource): Mapping | null {
  let key: Uint8Array | null = null;
  try {
    key = readKey(context, source);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    context.voice.warn(sentence(error));
  }
  try {
    const mapping = key && lock.open(key, "key");
    if (key !== null && mapping === null) {
      const newline = key.at(-1) === NEWLINE ? ": it ends with a newline, which counts as part of the key" : "";
      context.voice.warn(`the key ${describePlace(source.place)} does not open ${describeVolume(volume)}${newline}`);
    }
    return mapping;
  } finally {
    wipe(key);
  }
}

/** Returns every device that the volume's spec matches. A label or UUID means that of a LUKS header: filesystems may have the same. */
export function listDevices(
  context: Pick<CryptContext, "find">,
  { wish }: Pick<Volume, "wish">,
): readonly BlockDevice[] {
  const isByHeader = wish.plain === null && wish.header === null && ["label", "uuid"].includes(wish.device.by);
  return context.find(wish.device).filter(({ facts }) => !isByHeader || facts.type === "crypto_LUKS");
}

/** True if its device went away, or is another one now. */
export function isGone({ devices }: Pick<CryptContext, "devices">, { attempt }: Volume): boolean {
  return attempt !== null && !devices().includes(attempt.device);
}

/** Returns `/dev/vda2 (LUKS2, "label") as root`, or the spec while no device matches. */
export function describeVolume({ attempt, wish }: Volume): string {
  if (attempt === null) return specText(wish.device);
  const { device, lock } = attempt;
  return lock === null ? device.node : `${device.node} (${lock.text}) as ${lock.name}`;
}
