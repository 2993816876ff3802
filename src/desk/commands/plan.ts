import { readFileSync } from "node:fs";
import { machine } from "node:os";
import { dirname, resolve } from "node:path";
import { defineCommand } from "citty";
import { warnOfUnboundRoot } from "../../plan/binding.ts";
import { formatPlan } from "../../plan/format-plan.ts";
import { makePlan } from "../../plan/make-plan.ts";
import { printable } from "../../problems/report.ts";
import { attempt } from "../attempt.ts";
import { readCommandLine } from "../command-line.ts";
import { parseAddition } from "../image/addition.ts";
import { parseConfig, readConfig } from "../image/config.ts";
import { lookAtAdditions, readCrypttabFrom } from "../image/image-files.ts";

const args = {
  cmdline: {
    type: "positional",
    required: false,
    description: "a kernel command line, in quotes (default: this machine's)",
  },
  config: { type: "string", alias: "c", valueHint: "FILE", description: "the levain.toml of the image" },
  crypttab: {
    type: "string",
    valueHint: "FILE",
    description: "the image's /etc/crypttab (default: what --config adds)",
  },
  json: { type: "boolean", description: "Print the plan as JSON" },
} as const;

/** `levain plan 'CMDLINE'`: what a boot with this command line would do. */
export const planCommand = defineCommand({
  meta: { name: "plan", description: "Show what a boot with a kernel command line would do" },
  args,
  run: ({ rawArgs }) => {
    const line = readCommandLine(rawArgs, args);
    const configFile = line.one("config");
    const { parameters, add } = configFile === null ? parseConfig("", "") : readConfig(configFile);
    const directory = configFile === null ? "." : dirname(resolve(configFile));
    const files = lookAtAdditions(add.map((addition) => parseAddition(addition, directory)));
    const crypttabFile = line.one("crypttab");
    const cmdline = line.words.length > 0 ? line.words.join(" ") : readOwnCommandLine();
    const { plan, warnings } = makePlan({
      cmdline,
      manifest: { version: 1, kernel: null, parameters },
      machine: machine(),
      hasFile: files.hasFile,
      crypttab: crypttabFile === null ? files.crypttab : readCrypttabFrom(crypttabFile),
    });
    for (const warning of [...warnings, ...warnOfUnboundRoot(plan)]) console.error(`warning: ${printable(warning)}`);
    console.log(line.has("json") ? JSON.stringify(plan, null, 2) : formatPlan(plan).join("\n"));
    return 0;
  },
});

function readOwnCommandLine(): Uint8Array {
  return attempt("cannot read this machine's command line", () => readFileSync("/proc/cmdline"));
}
