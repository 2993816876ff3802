import { planMachine } from "../../boot/plan-reader.ts";
import { readRecord } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { logPlace } from "../../parameters/stack/log-place.ts";
import { orIfFailed } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import type { Voice } from "../../problems/voice.ts";
import { saveLog } from "../saved-log/save.ts";

/** Saves the log of this boot to the device, in the words of rd.log.save=; null: where a boot that fails saves it. Returns what to print. Throws BootError, SyscallError, Expected. */
export function saveLogTo(machine: Machine, place: string | null, voice: Voice): string {
  const record = readRecord(machine);
  if (record === null) throw problem("log-without-record", {});
  const asked = () => planMachine(machine, { ...voice, warn: () => undefined }).plan.rescue.log;
  const log = place === null ? orIfFailed(asked, null) : logPlace(place);
  const saved = saveLog({ machine, voice }, record, { log, shell: true });
  if (saved === null) throw problem("log-without-place", { place });
  return saved;
}
