import { writeSync } from "node:fs";
import { wipe } from "../../crypto/secret.ts";
import type { Machine } from "../../machine/machine.ts";
import { argument, command, flag, option, UsageError } from "../command-line.ts";
import { examineLuks } from "../luks/luks-command.ts";

/** `levain luks IMAGE`. */
export const luksCommand = (machine: Machine) =>
  command({
    name: "luks",
    description: "Show a LUKS header, and check whether a key unlocks it",
    args: {
      image: argument("The encrypted device or image file"),
      header: option("FILE", "Read the header from this file or device"),
      "key-file": option("FILE", "Try the passphrase in FILE (-: standard input)"),
      "volume-key": flag("With --key-file: print the volume key in hexadecimal"),
      json: flag("Print JSON"),
    },
    examples: {
      "levain luks /dev/sda2": "Show the header, and whether levain accepts it: status 1 if not",
      "levain luks --key-file root.key /dev/sda2": "Check a key file: status 2 if it is wrong",
    },
    run: ({ words: [image = ""], has, one }) => {
      const [keyFile, showsVolumeKey] = [one("key-file"), has("volume-key")];
      if (showsVolumeKey && keyFile === null) throw new UsageError("--volume-key needs --key-file");
      const question = { image, header: one("header"), keyFile, showsVolumeKey, json: has("json") };
      const { output, problems, status } = examineLuks(machine, question);
      for (const problem of problems) console.error(problem);
      for (const part of output) print(part);
      return status;
    },
  });

/** Writes without a stream in between, which would keep secrets in memory. */
function print(part: string | Uint8Array): void {
  const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
  } finally {
    wipe(bytes);
  }
}
