import { isatty } from "node:tty";
import { argument, command, flag } from "../command-line.ts";
import { findHints } from "../hints/find-hints.ts";
import { formatHints } from "../hints/format-hints.ts";
import { readHintsFile } from "../hints/schema.ts";
import { writeOutput } from "../standard-output.ts";

const STANDARD_OUTPUT = 1;

/** `levain host`. */
export const hostCommand = command({
  name: "host",
  description: "Show what a boot of this machine needs, for levain image --host=FILE on another machine",
  args: {
    file: argument("Show these hints, which levain host has printed (default: find those of this machine)", false),
    json: flag("Print JSON (default if standard output is no terminal)"),
  },
  examples: {
    "levain host": "Show the root device, what it is made of, and the drivers on the way to it",
    "sudo levain host > hints.json": "Keep them for another machine; only root can read which cipher a LUKS volume has",
    "levain image --host=hints.json": "Build the image there",
  },
  run: ({ words: [file], has }) => {
    const hints = file === undefined ? findHints() : readHintsFile(file);
    const isText = !has("json") && isatty(STANDARD_OUTPUT);
    writeOutput(`${isText ? formatHints(hints).join("\n") : JSON.stringify(hints, null, 2)}\n`);
    return 0;
  },
});
