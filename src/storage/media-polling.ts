import type { Machine } from "../machine/machine.ts";
import { textOrNone } from "../machine/small-files.ts";
import { orIfRefused } from "../problems/errors.ts";

/** Kernel parameter block.events_dfl_poll_msecs: how often the kernel looks for a medium in drives that do not report one themselves. */
const POLLING = "/sys/module/block/parameters/events_dfl_poll_msecs";
/** The kernel's default: never. Then neither an inserted disc nor an exchanged one sends a uevent. */
const OFF = ["0", "-1"];
/** As udev's 60-block.rules. */
const POLL_MS = "2000";

/** Has the kernel poll removable media, unless it does already; returns the function that restores the setting. */
export function pollMedia(machine: Machine): () => void {
  const before = orIfRefused(() => textOrNone(machine, POLLING).trim(), "");
  if (!OFF.includes(before)) return () => undefined;
  const set = (value: string) => orIfRefused(() => machine.writeFile(POLLING, value), null);
  set(POLL_MS);
  return () => void set(before);
}
