import type { Clock } from "../../machine/machine.ts";
import type { Voice } from "../../problems/voice.ts";

/** When this program was built, in seconds since 1970: build/compile.ts defines it. */
declare const LEVAIN_BUILD_SECONDS: number | undefined;

/** Milliseconds since 1970; 0 outside the compiled program. */
const BUILT_MS = typeof LEVAIN_BUILD_SECONDS === "number" ? LEVAIN_BUILD_SECONDS * 1000 : 0;

/**
 * Sets the clock to the time when levain was built, if it is older: a machine without a battery begins in 1970, when no certificate
 * is valid. systemd does the same (clock_apply_epoch()). Returns true if it was.
 */
export function setClock(
  machine: Pick<Clock, "timeOfDayMs" | "setTimeOfDay">,
  voice: Pick<Voice, "warn">,
  builtMs: number = BUILT_MS,
): boolean {
  if (machine.timeOfDayMs() >= builtMs) return false;
  const wrong = new Date(machine.timeOfDayMs()).toISOString().slice(0, 10);
  const right = new Date(builtMs).toISOString().slice(0, 10);
  voice.warn(`the clock shows ${wrong}, when no certificate is valid: setting it to ${right}, the date of this build`);
  machine.setTimeOfDay(builtMs);
  return true;
}
