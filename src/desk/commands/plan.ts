import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { planMachine } from "../../boot/plan-reader.ts";
import type { Machine } from "../../machine/machine.ts";
import { hideOptionSecrets, hideSecret } from "../../parameters/secrets.ts";
import { formatPlan } from "../../plan/format-plan.ts";
import { makePlan } from "../../plan/make-plan.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { warnOfUnboundRoot } from "../../plan/warnings.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { isStopped } from "../../rescue/commands/retry.ts";
import { readKept } from "../../rescue/shell.ts";
import { checkImage } from "../../stack/image-check.ts";
import { argument, type CommandWords, command, flag, option, UsageError } from "../command-line.ts";
import { parseConfig, readConfig } from "../config/config.ts";
import { listColumns } from "../drawing/stack-columns.ts";
import { drawStack } from "../drawing/stack-svg.ts";
import { attempt, withReader } from "../host.ts";
import { lookAtAdditions, parseAddition, readCrypttabFrom } from "../image/addition.ts";
import { OWN_ARCHITECTURE } from "../qemu/machines.ts";
import { writeLine } from "../standard-output.ts";

/** `levain plan 'CMDLINE'`: what a boot with this command line would do. */
export const planCommand = command({
  name: "plan",
  description: "Show what a boot with a kernel command line would do",
  args: {
    "cmdline...": argument("A kernel command line (default: this machine's)", false),
    config: option("FILE", "Include the parameters of this levain.toml", "c"),
    crypttab: option("FILE", "Use this as the image's /etc/crypttab (default: the file that --config adds)"),
    image: option("FILE", "Check this image, which the boot would find on its medium (may be repeated)"),
    json: flag("Print JSON"),
    svg: flag("Draw how the root is stacked, as an SVG"),
  },
  examples: {
    "levain plan": "Check the command line that this machine was booted with",
    "levain plan --image root.sfs 'root=LABEL=STICK rd.image=/root.sfs'": "Check an image before it goes to a stick",
    "levain plan --svg 'root=LABEL=STICK rd.image=/root.sfs' > stack.svg": "Draw what lies on what",
    "levain plan 'root=LABEL=LIVE ro rd.timeout=60'": "Check a command line before it goes into a boot loader",
  },
  run: (line, machine) => {
    for (const file of line.all("image")) checkImageFile(machine, file);
    if (line.words.length === 0 && !line.has("config") && !line.has("crypttab") && isStopped(machine)) {
      writeLine(format(planRetry(machine), line));
      return 0;
    }
    const configFile = line.one("config");
    const { parameters, add } = configFile === null ? parseConfig("", "") : readConfig(configFile);
    const directory = configFile === null ? "." : dirname(resolve(configFile));
    const files = lookAtAdditions(add.map((addition) => parseAddition(addition, directory)));
    const crypttabFile = line.one("crypttab");
    const { plan, warnings } = makePlan({
      cmdline:
        line.words.length > 0
          ? line.words.join(" ")
          : attempt("cannot read this machine's command line", () => readFileSync("/proc/cmdline")),
      manifest: { version: 1, kernel: null, parameters },
      machine: OWN_ARCHITECTURE,
      hasFile: files.hasFile,
      crypttab: crypttabFile === null ? files.crypttab : readCrypttabFrom(crypttabFile),
    });
    for (const warning of [...warnings, ...warnOfUnboundRoot(plan)]) console.error(`warning: ${printable(warning)}`);
    writeLine(format(plan, line));
    return 0;
  },
});

/** What the next retry would do. */
function planRetry(machine: Machine): BootPlan {
  const warn = (text: string) => console.error(`warning: ${printable(text)}`);
  const voice = { warn, debug: () => undefined, progress: () => undefined };
  const { plan, warnings } = planMachine(machine, voice, { added: readKept(machine) });
  for (const warning of warnings) warn(warning);
  return plan;
}

function format(plan: BootPlan, line: CommandWords): string {
  if (line.has("svg") && line.has("json")) throw new UsageError("Use either --json or --svg");
  if (line.has("svg")) return drawStack(listColumns(plan)).trimEnd();
  return line.has("json") ? JSON.stringify(plan, hideAccounts, 2) : formatPlan(plan).join("\n");
}

/** Throws BootError if the file is no image, or one that a boot would refuse. */
function checkImageFile(machine: Machine, file: string): void {
  const { type, partitionTable } = withReader(machine, file, (reader) => checkImage(reader, file));
  if (type === null && partitionTable === null) throw new BootError(`nothing recognised in ${printable(file)}`);
}

/** Hides passwords, which a setting of open-iscsi and options of a mount may have too. */
function hideAccounts(key: string, value: unknown): unknown {
  if (key === "password") return "…";
  if (key === "rootOptions" && typeof value === "string") return hideOptionSecrets(value);
  return typeof value === "string" ? hideSecret(value) : value;
}
