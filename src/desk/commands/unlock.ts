import { type ArgsDef, defineCommand } from "citty";
import type { Machine } from "../../machine/machine.ts";
import { unlockVolumes } from "../../rescue/commands/unlock.ts";
import { SHELL_PID_FILE } from "../../rescue/shell.ts";
import { readCommandLine, UsageError } from "../command-line.ts";
import { createDeskVoice } from "../voice.ts";

const ARGS = {
  device: {
    type: "positional",
    required: false,
    description: "/dev/…, LABEL=…, UUID=… (default: what the command line asks for, or every LUKS volume)",
  },
  name: { type: "string", valueHint: "NAME", description: "open it as /dev/mapper/NAME" },
  "key-file": { type: "string", valueHint: "FILE", description: "try the key in this file before asking" },
} satisfies ArgsDef;

/** `levain unlock [DEVICE]`. */
export function unlockCommand(machine: Machine) {
  return defineCommand({
    meta: { name: "unlock", description: "Open encrypted volumes, as the boot would; then `levain retry` goes on" },
    args: ARGS,
    run: ({ rawArgs }) => {
      const { words, one } = readCommandLine(rawArgs, ARGS);
      if (words.length > 1) throw new UsageError("expected one DEVICE, or none");
      // A line each: a prompt on this terminal would be written into one that is written over.
      const progress = (text: string) => void process.stderr.write(`${text}\n`);
      const voice = { ...createDeskVoice(process.stderr), progress };
      const question = { device: words[0] ?? null, name: one("name"), keyFile: one("key-file") };
      try {
        for (const line of unlockVolumes(machine, question, voice)) console.log(line);
      } finally {
        voice.close();
      }
      if (machine.stat(SHELL_PID_FILE) !== null) console.log("`levain retry` goes on with the boot");
      return 0;
    },
  });
}
