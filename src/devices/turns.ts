import type { DeviceProbe } from "./device-probe.ts";

/** What probes devices, by the kernel's names. */
export interface Turns {
  /** Asks the device for its first answer. */
  begin(name: string): void;
  /** undefined if the probe is over. */
  underWay(name: string): DeviceProbe | undefined;
  /** Waits at most `waitMs` for the next answer, and asks for another one if the probe needs it. */
  wait(name: string, probe: DeviceProbe, waitMs: number): void;
}

/** Nearly every device answers within this time. */
const QUICK_MS = 20;
/**
 * From so many devices on, some are probed at the same time, so that levain examines one while others are read. For fewer devices,
 * the start of more worker processes costs more than that saves.
 */
export const MANY = 8;
const AT_ONCE = 4;
/** For all devices together: hundreds that do not answer must not hold up one that does. */
const SILENT_MS = 500;

/** Probes devices in turn, and waits for one answer of each at a time. A device without an answer within a moment is left with its worker process. */
export function takeTurns(names: readonly string[], { begin, underWay, wait }: Turns): void {
  const most = names.length < MANY ? 1 : AT_ONCE;
  const turns: string[] = [];
  let silentMs = 0;
  function takeTurn(): void {
    const name = turns.shift() ?? "";
    const probe = underWay(name);
    if (probe === undefined) return;
    const before = probe.answers();
    const waitMs = Math.max(0, Math.min(QUICK_MS, SILENT_MS - silentMs));
    wait(name, probe, waitMs);
    if (underWay(name) !== probe) return;
    if (probe.answers() > before) turns.push(name);
    else silentMs += waitMs;
  }
  for (const name of names) {
    while (turns.length >= most) takeTurn();
    begin(name);
    if (underWay(name) !== undefined) turns.push(name);
  }
  while (turns.length > 0) takeTurn();
}
