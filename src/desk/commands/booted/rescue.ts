import { RECORD_FILE, readRecord } from "../../../log/boot-record.ts";
import { retryBoot } from "../../../rescue/commands/retry.ts";
import { saveLogTo } from "../../../rescue/commands/save-log.ts";
import { describeLog, describeStatus } from "../../../rescue/commands/status.ts";
import { unlockVolumes } from "../../../rescue/commands/unlock.ts";
import { readLeftReport } from "../../../rescue/saved-log/memory.ts";
import { PREVIOUS_FILE } from "../../../rescue/saved-log/previous.ts";
import { SHELL_PID_FILE } from "../../../rescue/shell.ts";
import { argument, command, flag, option } from "../../command-line.ts";
import { writeLine } from "../../standard-output.ts";
import { createTerminalVoice } from "../../terminal-voice.ts";

/** `levain status`. */
export const statusCommand = command({
  name: "status",
  description: "Show how the boot went, or where and why it stopped",
  args: { json: flag("Print the record of the boot as JSON") },
  examples: { "levain status": "In the rescue shell: what failed, and what to try" },
  run: (line, machine) => print(line.has("json") ? toJson(readRecord(machine)) : describeStatus(machine)),
});

/** `levain log`. */
export const logCommand = command({
  name: "log",
  description: "Show the messages of the boot",
  args: { previous: flag("Of the last boot that failed, if its log was saved"), json: flag("Print JSON") },
  examples: {
    "levain log": "Every message, also those that the console did not show",
    "levain log --previous": "Why the last boot failed",
  },
  run(line, machine) {
    const isPrevious = line.has("previous");
    const record = readRecord(machine, isPrevious ? PREVIOUS_FILE : RECORD_FILE);
    if (record === null && isPrevious) {
      const report = readLeftReport(machine, SILENT);
      return report === null
        ? deny("no log of a failed boot was found")
        : print(line.has("json") ? toJson(report) : report);
    }
    return print(line.has("json") ? toJson(record?.messages ?? null) : describeLog(record));
  },
});

/** `levain save-log [DEVICE]`. */
export const saveLogCommand = command({
  name: "save-log",
  description: "Save the log of this boot, without passwords (rescue shell)",
  args: { place: argument("DEVICE[:/DIRECTORY] (default: that of rd.log.save=, or LABEL=LEVAIN-LOG)", false) },
  examples: { "levain save-log /dev/sdb1": "Save it on a stick, to read it on another machine" },
  run({ words }, machine) {
    const voice = createTerminalVoice(process.stderr);
    try {
      writeLine(saveLogTo(machine, words[0] ?? null, voice));
    } finally {
      voice.close();
    }
    return 0;
  },
});

/** `levain unlock [DEVICE]`. */
export const unlockCommand = command({
  name: "unlock",
  description: "Unlock encrypted volumes as the boot would (rescue shell)",
  args: {
    device: argument(
      "/dev/…, LABEL=… or UUID=… (default: the volumes of the command line, or every LUKS volume)",
      false,
    ),
    name: option("NAME", "Create /dev/mapper/NAME"),
    "key-file": option("FILE", "Try the key in FILE before asking"),
  },
  examples: {
    "levain unlock": "Ask for the passphrase of every LUKS volume",
    "levain unlock /dev/sda2 --name root": "Unlock one partition as /dev/mapper/root",
  },
  run: ({ words, one }, machine) => {
    // One line each: a progress line that is written over would destroy the prompt on this terminal.
    const progress = (text: string) => void process.stderr.write(`${text}\n`);
    const voice = { ...createTerminalVoice(process.stderr), progress };
    const question = { device: words[0] ?? null, name: one("name"), keyFile: one("key-file") };
    try {
      for (const line of unlockVolumes(machine, question, voice)) writeLine(line);
    } finally {
      voice.close();
    }
    if (machine.stat(SHELL_PID_FILE) !== null) writeLine("`levain retry` continues the boot");
    return 0;
  },
});

/** `levain retry`. */
export const retryCommand = command({
  name: "retry",
  description: "Retry the boot from the step where it stopped (rescue shell)",
  args: {
    "parameter...": argument("Parameters that override those of the kernel command line", false),
  },
  examples: {
    "levain retry": "Leave the rescue shell and retry, as exit does",
    "levain retry root=LABEL=LIVE rd.timeout=60": "Retry with another root device and timeout",
  },
  run: ({ words }, machine) => {
    retryBoot(machine, words);
    return 0;
  },
});

const SILENT = { warn: () => undefined, debug: () => undefined, progress: () => undefined };

const toJson = (value: unknown) => (value === null ? null : [JSON.stringify(value, null, 2)]);

function print(lines: readonly string[] | null): number {
  if (lines === null) return deny("levain did not boot this system");
  writeLine(lines.join("\n"));
  return 0;
}

function deny(why: string): number {
  console.error(why);
  return 1;
}
