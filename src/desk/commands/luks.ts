import { writeSync } from "node:fs";
import { type ArgsDef, defineCommand } from "citty";
import { wipe } from "../../crypto/secret.ts";
import type { Machine } from "../../machine/machine.ts";
import { readCommandLine, UsageError } from "../command-line.ts";
import { examineLuks } from "../luks/luks-command.ts";

const ARGS = {
  image: { type: "positional", description: "image file or device with the encrypted data" },
  header: { type: "string", valueHint: "FILE", description: "the header is in this file or device" },
  "key-file": { type: "string", valueHint: "FILE", description: "try the passphrase in this file (-: standard input)" },
  "volume-key": { type: "boolean", description: "print the key of the data, in hexadecimal digits" },
  json: { type: "boolean", description: "all of it as JSON" },
} satisfies ArgsDef;

/** `levain luks IMAGE`. */
export function luksCommand(machine: Machine) {
  return defineCommand({
    meta: {
      name: "luks",
      description: "Say whether a LUKS header is acceptable, what is in it, and whether a key is right",
    },
    args: ARGS,
    run: ({ rawArgs }) => {
      const { words, has, one } = readCommandLine(rawArgs, ARGS);
      const [image, ...rest] = words;
      if (image === undefined || rest.length > 0) throw new UsageError("expected one IMAGE");
      const [keyFile, showsVolumeKey] = [one("key-file"), has("volume-key")];
      if (showsVolumeKey && keyFile === null) throw new UsageError("--volume-key needs --key-file");
      const question = { image, header: one("header"), keyFile, showsVolumeKey, json: has("json") };
      const { output, problems, status } = examineLuks(machine, question);
      for (const problem of problems) console.error(problem);
      for (const part of output) print(part);
      return status;
    },
  });
}

/** Without a stream in between, which would keep what is secret. */
function print(part: string | Uint8Array): void {
  const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
  } finally {
    wipe(bytes);
  }
}
