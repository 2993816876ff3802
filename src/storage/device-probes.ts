import { type BlockDevice, describeDevice, listBlockDeviceNames } from "../devices/block-devices.ts";
import { type DeviceProbe, describeUnanswered, SLOW_MS, startProbe, type Unanswered } from "../devices/device-probe.ts";
import { createInventory, type Inventory } from "../devices/inventory.ts";
import type { AnswerLimit } from "../devices/patient-source.ts";
import { createReadHabit } from "../devices/read-habit.ts";
import { MANY, type Turns, takeTurns } from "../devices/turns.ts";
import type { Context } from "../drivers/context.ts";
import type { Voice } from "../problems/voice.ts";
import { createWaitNotice } from "../problems/wait-notice.ts";

/** The probes of a search: each device goes into the inventory when it has answered, and a slow one holds up no other. */
export interface DeviceProbes {
  /** A device that is probed again keeps its entry until it has answered, but nothing may match it by what it held. */
  readonly inventory: Inventory;
  /** Lists the inventory in its order: the same array until a device changes. */
  list(): readonly BlockDevice[];
  /** Probes a device that is new or has changed, by the kernel's name; waits for it at most `waitMs`. */
  look(name: string, waitMs: number): void;
  /** Probes devices that are new or have changed, and waits a moment for each. */
  lookAll(names: readonly string[]): void;
  forget(name: string): void;
  /** Brings the inventory up to date with /sys. */
  scan(): void;
  /** Takes the answers that have come, and names the devices that nothing explains any longer. */
  advance(): void;
  /** Names the slow devices that the boot goes on without. */
  leave(): void;
  isUnderWay(name: string): boolean;
  /** Milliseconds until every device has answered or counts as slow. */
  settlingMs(): number;
  /** The devices that have not answered yet. */
  unanswered(): readonly Unanswered[];
  close(): void;
}

/** Creates the probes of one search, with an empty inventory. */
export function createDeviceProbes(context: Pick<Context, "machine" | "voice">): DeviceProbes {
  const { machine } = context;
  const { appear, keep, ...devices } = createInventory();
  const probes = new Map<string, DeviceProbe>();
  const [notice, habit] = [createSlowNotice(context, probes), createReadHabit()];

  function stop(name: string): void {
    probes.get(name)?.close();
    probes.delete(name);
  }

  function advance(name: string, probe: DeviceProbe, ...patience: Parameters<DeviceProbe["advance"]>): void {
    const device = probe.advance(...patience);
    if (device === null) notice.waits(name, probe);
    else {
      stop(name);
      keep(name, device);
      notice.answered(name, probe, device);
    }
  }

  function begin(name: string): void {
    // What was read before a change counts no longer, but the wait goes on: a device that never stops changing is slow too.
    const startMs = probes.get(name)?.startMs;
    stop(name);
    appear(name);
    const probe = startProbe(machine, name, habit, startMs);
    probe?.begin();
    if (probe === null) keep(name, "gone");
    else probes.set(name, probe);
  }

  const lookAll = (names: readonly string[]) =>
    lookInTurn(context, names, {
      begin,
      underWay: (name) => probes.get(name),
      wait: (name, probe, waitMs) => advance(name, probe, waitMs, "one answer"),
    });

  function forget(name: string): void {
    stop(name);
    keep(name, "gone");
    notice.forget(name);
  }

  return {
    ...devices,
    look(name, waitMs) {
      begin(name);
      const probe = probes.get(name);
      if (probe !== undefined) advance(name, probe, waitMs);
    },
    lookAll,
    forget,
    scan() {
      const present = listBlockDeviceNames(machine);
      for (const name of [...devices.inventory.keys(), ...probes.keys()]) if (!present.includes(name)) forget(name);
      lookAll(present);
    },
    advance() {
      for (const [name, probe] of [...probes]) advance(name, probe, 0, limitAmong(probes.size));
    },
    leave: notice.leave,
    isUnderWay: (name) => probes.has(name),
    settlingMs: () => Math.max(0, ...probes.values().map(({ startMs }) => startMs + SLOW_MS - machine.nowMs())),
    unanswered: () => [...probes.values()],
    close: () => [...probes.keys()].forEach(stop),
  };
}

/** The second answer of each of hundreds must not be waited for in turn. */
const limitAmong = (count: number): AnswerLimit => (count < MANY ? "all answers" : "one answer");

/** Probes devices in turn, and says how many of them have answered if it takes long. */
function lookInTurn(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  names: readonly string[],
  { begin, underWay, wait }: Turns,
): void {
  const notice = createWaitNotice(voice);
  const startMs = machine.nowMs();
  let answers = 0;
  takeTurns(names, {
    begin,
    underWay,
    wait(name, probe, waitMs) {
      wait(name, probe, waitMs);
      if (underWay(name) !== probe) answers += 1;
      notice("block devices", machine.nowMs() - startMs, null, () => `${answers} of ${names.length} have answered`);
    },
  });
}

/** The first answer of a healthy USB stick may take some seconds. */
const NOTABLE_MS = 5000;
/** Of hundreds of slow devices so many are named at once; the line about the wait, and the report, have the others. */
const MOST_NAMED = 8;

/** Names slow devices, each once, and says when one has answered after all; names each disk that cannot be read. */
function createSlowNotice(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  probes: ReadonlyMap<string, DeviceProbe>,
) {
  const named = new Set<string>();
  let left = MOST_NAMED;
  const warned = new Set<string>();
  const waitedMs = ({ startMs }: DeviceProbe) => machine.nowMs() - startMs;
  const silences = new Map<string, { readonly answers: number; readonly sinceMs: number }>();
  /** An answer may come at once, and be taken only after a prompt: that is no silence. */
  function silentMs(name: string, probe: DeviceProbe): number {
    const answers = probe.answers();
    if (silences.get(name)?.answers !== answers)
      silences.set(name, { answers, sinceMs: answers === 0 ? probe.startMs : machine.nowMs() });
    return machine.nowMs() - (silences.get(name)?.sinceMs ?? probe.startMs);
  }
  function waits(name: string, probe: DeviceProbe, fromMs = NOTABLE_MS): void {
    if (left === 0 || named.has(name) || silentMs(name, probe) < fromMs) return;
    left -= 1;
    named.add(name);
    voice.progress(`${describeUnanswered(probe)}: the boot continues meanwhile`);
  }
  return {
    waits,
    leave(): void {
      for (const [name, probe] of probes) waits(name, probe, SLOW_MS);
    },
    answered(name: string, probe: DeviceProbe, device: BlockDevice | "gone"): void {
      silences.delete(name);
      const { node, area } = probe.entry;
      if (device !== "gone") tellAnswer(voice, probe.startMs, machine.nowMs(), device);
      if (named.delete(name)) voice.progress(`${node} answered after ${Math.round(waitedMs(probe) / 1000)} s`);
      // A drive without a disc, or with one that holds music, is nothing to warn of.
      const why = device === "gone" || area.kind === "optical" ? null : device.unreadable;
      if (why !== null && !warned.has(name)) voice.warn(`${node} cannot be read: ${why}`);
      if (why !== null) warned.add(name);
    },
    forget(name: string): void {
      silences.delete(name);
      named.delete(name);
      warned.delete(name);
    },
  };
}

function tellAnswer(voice: Voice, seenMs: number, answeredMs: number, device: BlockDevice): void {
  const { node } = device;
  voice.answered?.({ node, seenMs, answeredMs, text: describeDevice(device).slice(node.length + 1) });
}
