import type { Machine } from "../machine/machine.ts";
import type { BlockDevice } from "./block-devices.ts";
import { type DeviceProbe, SLOW_MS, startProbe, type Unanswered } from "./device-probe.ts";
import { createReadHabit } from "./read-habit.ts";
import { takeTurns } from "./turns.ts";

/** How long each device is waited for before the others are looked at again. */
const ROUND_MS = 20;

/** Probes devices, by the kernel's names, several at the same time. Those that take longer than a second are returned as they are. */
export function readBlockDevices(
  machine: Machine,
  names: readonly string[],
): { readonly devices: readonly BlockDevice[]; readonly unanswered: readonly Unanswered[] } {
  const found = new Map<string, BlockDevice>();
  const habit = createReadHabit();
  const waiting = new Map<string, DeviceProbe>();
  function advance(name: string, probed: DeviceProbe, ...patience: Parameters<DeviceProbe["advance"]>): void {
    const device = probed.advance(...patience);
    if (device === null) return;
    probed.close();
    waiting.delete(name);
    if (device !== "gone") found.set(name, device);
  }
  takeTurns(names, {
    begin(name) {
      const probed = startProbe(machine, name, habit);
      if (probed === null) return;
      waiting.set(name, probed);
      probed.begin();
    },
    underWay: (name) => waiting.get(name),
    wait: (name, probed, waitMs) => advance(name, probed, waitMs, "one answer"),
  });
  const isLeft = ({ startMs }: DeviceProbe) => machine.nowMs() < startMs + SLOW_MS;
  while ([...waiting.values()].some(isLeft)) {
    for (const [name, probed] of [...waiting]) advance(name, probed, ROUND_MS);
  }
  for (const probed of waiting.values()) probed.close();
  return { devices: names.flatMap((name) => found.get(name) ?? []), unanswered: [...waiting.values()] };
}
