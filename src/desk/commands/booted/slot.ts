import type { Machine } from "../../../machine/machine.ts";
import type { Voice } from "../../../problems/voice.ts";
import { confirmSlot, describeSlots, listSlots, selectSlot } from "../../../rescue/commands/slot.ts";
import { argument, command, UsageError } from "../../command-line.ts";
import { JSON_OPTION } from "../../report-rows.ts";
import { writeLine } from "../../standard-output.ts";
import { createTerminalVoice } from "../../terminal-voice.ts";

/** `levain slot [ok | set NAME]`. */
export const slotCommand = command({
  name: "slot",
  description: "Show the slots of rd.slots=, mark the booted one as good, or choose the next one",
  args: {
    action: argument("ok: the booted slot is good; set: choose the slot of the next boot (default: show them)", false),
    name: argument("The slot for set", false),
    ...JSON_OPTION,
  },
  examples: {
    "levain slot": "Which slot was booted, and how many tries each has left",
    "levain slot ok": "At the end of a good start: the booted slot has all its tries again",
    "levain slot set B": "After an update of B: the next boot tries it first",
  },
  run({ words, has }, machine) {
    const voice = createTerminalVoice(process.stderr);
    try {
      for (const line of act(machine, voice, words, has("json"))) writeLine(line);
    } finally {
      voice.close();
    }
    return 0;
  },
});

function act(machine: Machine, voice: Voice, words: readonly string[], json: boolean): readonly string[] {
  const [action, name, ...others] = words;
  if (action === undefined) {
    const rows = listSlots(machine, voice);
    return json ? [JSON.stringify(rows, null, 2)] : describeSlots(rows);
  }
  if (json || others.length > 0) throw new UsageError("levain slot takes --json alone, ok, or set NAME");
  if (action === "ok" && name === undefined) return [confirmSlot(machine, voice)];
  if (action === "set" && name !== undefined) return [selectSlot(machine, voice, name)];
  throw new UsageError(`Expected ok or set NAME but received ${[action, name].join(" ").trim()}`);
}
