import { planMachine } from "../../boot/plan-reader.ts";
import { type BlockDevice, describeDevice } from "../../devices/block-devices.ts";
import { createLoader } from "../../drivers/loader.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BytesPlace } from "../../parameters/crypt/settings.ts";
import { parseMapperName } from "../../parameters/crypt/text.ts";
import { type DeviceSpec, parseDeviceSpec } from "../../parameters/device-spec.ts";
import type { CryptPlan, CryptVolume } from "../../plan/crypt/crypt-plan.ts";
import { rootDevices } from "../../plan/root.ts";
import { BootError } from "../../problems/errors.ts";
import { printable, sentence } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { createHeldTerminals } from "../../prompt/held-terminals.ts";
import { describeSeen } from "../../storage/findings.ts";
import { createSearch, type Search } from "../../storage/search.ts";
import { specText } from "../../storage/search-words.ts";

/** How `levain unlock` was asked. */
export interface UnlockQuestion {
  /** As root= names a device; null: what the command line asks for, or every LUKS volume. */
  readonly device: string | null;
  /** Of /dev/mapper/NAME; null: as the command line has it, or luks-UUID. */
  readonly name: string | null;
  /** A file with the key; null: as the command line has it. */
  readonly keyFile: string | null;
}

const OWN_TERMINAL = "/dev/tty";

/**
 * Opens encrypted volumes as a boot would, but asks on this terminal alone and takes nothing back. Returns what is open now, a
 * line each. Throws BootError where nothing is.
 */
export function unlockVolumes(machine: Machine, question: UnlockQuestion, voice: Voice): readonly string[] {
  const { plan } = planMachine(machine, voice);
  const drivers = createLoader(machine, { ...plan.modules, load: [] }, voice);
  const wish = { ...plan, crypt: planUnlock(plan.crypt, question), roots: [], rootOptions: "" };
  const context = { machine, drivers, voice, undo: () => undefined };
  const terminals = createHeldTerminals(machine, () => [OWN_TERMINAL]);
  const search = createSearch(context, wish, { terminals });
  try {
    openAll(search, voice, question.device === null ? rootDevices(plan.root) : []);
    const opened = [...search.inventory.values()].filter((device) => search.inside(device) !== null);
    if (opened.length === 0)
      throw search.problems().find(({ isFatal }) => isFatal)?.error ?? nothingOpened(search, question);
    for (const { error } of search.problems()) voice.warn(sentence(error));
    return opened.map((device) => describeOpened(search, device));
  } finally {
    search.close();
  }
}

/** Until there is nothing to do any more; what a key is waited for is waited for. A root that is encrypted itself is one of those that the command line asks for. */
function openAll(search: Search, voice: Voice, roots: readonly DeviceSpec[]): void {
  const isClosed = (device: BlockDevice) => search.state(device)?.kind === "closed";
  for (;;) {
    search.takeEvents(0);
    const root = roots.flatMap((spec) => [...search.matches(spec), ...search.strangers(spec)]).find(isClosed) ?? null;
    const round = search.advance(root);
    if (round === "changed") continue;
    if (round === "idle") return;
    voice.progress(`waiting for ${round.text}`);
    if (search.terminals.waitForDevice(Math.max(1, round.leftMs)) === "cancelled")
      throw new BootError("cancelled by Ctrl-C");
  }
}

/** The volumes that are meant, as the boot would open them, with what was said otherwise. */
function planUnlock(crypt: CryptPlan, { device, name, keyFile }: UnlockQuestion): CryptPlan {
  const changes = {
    ...(name === null ? {} : { name: checkName(name) }),
    ...(keyFile === null ? {} : { keys: [fileKey(keyFile)] }),
  };
  if (device === null) {
    const volumes = crypt.volumes.map((volume) => ({ ...volume, ...changes }));
    if (name !== null && volumes.length !== 1) {
      throw new BootError(`a name is for one volume, and ${volumes.length} are asked for`, {
        hint: "say which: levain unlock DEVICE --name NAME",
      });
    }
    return { ...crypt, isOff: false, volumes, everyLuks: crypt.everyLuks || volumes.length === 0 };
  }
  const spec = parseDeviceSpec(device);
  if (spec === null) throw new BootError(`${printable(device)} is no device`, { hint: "/dev/…, LABEL=… or UUID=…" });
  const known = crypt.volumes.find((volume) => specText(volume.device) === specText(spec));
  const unnamed: CryptVolume = { ...crypt.unnamed, device: spec, name: null, plain: null, isOptional: false };
  return { ...crypt, isOff: false, volumes: [{ ...(known ?? unnamed), ...changes }], everyLuks: false };
}

/** It becomes a path below /dev/mapper. */
function checkName(name: string): string {
  try {
    return parseMapperName(name);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    throw new BootError(`${printable(name)} is no name for a device`, { hint: error.message });
  }
}

function fileKey(path: string): BytesPlace {
  return { in: "image", device: null, path, type: null, offset: 0, size: null };
}

function describeOpened(search: Search, device: BlockDevice): string {
  const inside = search.inside(device);
  return `${device.node} is open: ${inside === null ? "" : describeDevice(inside)}`;
}

function nothingOpened(search: Search, { device }: UnlockQuestion): BootError {
  const what = device === null ? "there is no encrypted volume" : `${printable(device)} could not be unlocked`;
  const missing = search.problems().map(({ error }) => sentence(error));
  const seen = [...search.inventory.values()].map((one) => describeSeen(search, one));
  return new BootError(what, {
    cause: missing.length > 0 ? new BootError(missing.join("\n")) : undefined,
    seen,
    hint: "name the volume: levain unlock DEVICE",
  });
}
