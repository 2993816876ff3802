import type { Machine } from "../../machine/machine.ts";
import { unlockVolumes } from "../../rescue/commands/unlock.ts";
import { SHELL_PID_FILE } from "../../rescue/shell.ts";
import { argument, command, option } from "../command-line.ts";
import { createTerminalVoice } from "../terminal-voice.ts";

/** `levain unlock [DEVICE]`. */
export const unlockCommand = (machine: Machine) =>
  command({
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
    run: ({ words, one }) => {
      // One line each: a progress line that is written over would destroy the prompt on this terminal.
      const progress = (text: string) => void process.stderr.write(`${text}\n`);
      const voice = { ...createTerminalVoice(process.stderr), progress };
      const question = { device: words[0] ?? null, name: one("name"), keyFile: one("key-file") };
      try {
        for (const line of unlockVolumes(machine, question, voice)) console.log(line);
      } finally {
        voice.close();
      }
      if (machine.stat(SHELL_PID_FILE) !== null) console.log("`levain retry` continues the boot");
      return 0;
    },
  });
