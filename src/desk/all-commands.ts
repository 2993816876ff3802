import { defineCommand } from "citty";
import packageJson from "../../package.json" with { type: "json" };
import type { Machine } from "../machine/machine.ts";
import { suggest } from "../parameters/near-misses.ts";
import { alignColumns, printable } from "../problems/report.ts";
import { isStopped } from "../rescue/commands/retry.ts";
import { RESCUE_COMMANDS } from "../rescue/shell-commands.ts";
import { argument, type Command, command, flag } from "./command-line.ts";
import { analyzeCommand } from "./commands/booted/analyze.ts";
import { menuCommand, mountCommand, poweroffCommand, rebootCommand, setCommand } from "./commands/booted/repair.ts";
import { logCommand, retryCommand, saveLogCommand, statusCommand, unlockCommand } from "./commands/booted/rescue.ts";
import { slotCommand } from "./commands/booted/slot.ts";
import { factoryResetCommand, syncCommand } from "./commands/booted/sync.ts";
import { makeCompletionCommand } from "./commands/completion.ts";
import { configCommand } from "./commands/config.ts";
import { diffCommand } from "./commands/diff.ts";
import { devicesCommand } from "./commands/disks/devices.ts";
import { luksCommand } from "./commands/disks/luks.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { extractCommand } from "./commands/extract.ts";
import { graftCommand } from "./commands/graft.ts";
import { hostCommand } from "./commands/host.ts";
import { imageCommand } from "./commands/image.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { installCommand, uninstallCommand } from "./commands/install.ts";
import { modulesCommand } from "./commands/modules.ts";
import { planCommand } from "./commands/plan.ts";
import { runCommand } from "./commands/run.ts";
import { usbCommand } from "./commands/usb.ts";
import { columnsOf, explainTopic, formatUsage } from "./help.ts";
import { asksForHelp, runOne } from "./run-command.ts";
import { writeLine } from "./standard-output.ts";

/** `levain help parameters`, `levain help rd.timeout`. `levain help COMMAND` is `levain COMMAND --help`, which runDesk answers. */
const helpCommand = command({
  name: "help",
  description: "Explain a command, or the parameters of the kernel command line",
  args: {
    topic: argument("A command, a parameter, or parameters (default: list the commands)", false),
  },
  examples: {
    "levain help image": "Same as levain image --help",
    "levain help rd.timeout": "Explain one parameter",
    "levain help parameters": "List every parameter",
  },
  run: ({ words: [topic = ""] }) => {
    writeLine(explainTopic(topic, Object.keys(COMMANDS), columnsOf(process.stdout)));
    return 0;
  },
});

/** The options of levain itself. */
export const LEVAIN_OPTIONS = {
  version: flag("Print the version", "V"),
  debug: flag("Before a command: if it fails, print where in the program"),
} as const;

/** In the order of `levain --help`: images, what a boot would do, devices, the booted system, the rescue shell. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  image: imageCommand,
  config: configCommand,
  host: hostCommand,
  usb: usbCommand,
  install: installCommand,
  uninstall: uninstallCommand,
  graft: graftCommand,
  inspect: inspectCommand,
  diff: diffCommand,
  extract: extractCommand,
  doctor: doctorCommand,
  run: runCommand,
  plan: planCommand,
  modules: modulesCommand,
  devices: devicesCommand,
  luks: luksCommand,
  sync: syncCommand,
  "factory-reset": factoryResetCommand,
  status: statusCommand,
  log: logCommand,
  "save-log": saveLogCommand,
  slot: slotCommand,
  analyze: analyzeCommand,
  menu: menuCommand,
  set: setCommand,
  unlock: unlockCommand,
  mount: mountCommand,
  retry: retryCommand,
  reboot: rebootCommand,
  poweroff: poweroffCommand,
  completion: makeCompletionCommand(() => ({ commands: COMMANDS, own: LEVAIN_OPTIONS })),
  help: helpCommand,
};

/** Runs any command. Returns the exit status: 1 if the command failed, 2 if its command line is wrong. */
export async function runAny(argv: readonly string[], machine: Machine): Promise<number> {
  const levain: Command = defineCommand({
    meta: { name: "levain", version: packageJson.version, description: packageJson.description },
    args: LEVAIN_OPTIONS,
    subCommands: COMMANDS,
  });
  const find = (name = "") => (Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined);
  const debug = argv[0] === "--debug";
  const [name, ...rest] = debug ? argv.slice(1) : argv;
  if (name === "--version" || name === "-V") return print(packageJson.version);
  if (asksForHelp([name ?? ""]) || (name === "help" && rest.length === 0)) return print(await usage(levain));
  const found = find(name);
  if (name === undefined) return offer(levain, machine);
  if (!found) {
    const near = suggest(name, Object.keys(COMMANDS)) || ": levain help lists the commands";
    console.error(`Unknown command '${printable(name)}'${near}`);
    return 2;
  }
  // `levain help image` is `levain image --help`.
  const topic = found === helpCommand ? find(rest[0]) : undefined;
  if (topic ?? asksForHelp(rest)) return print(await usage(topic ?? found, levain));
  return runOne(found, `levain ${name}`, rest, machine, debug);
}

/** Lists the commands, as none was given. */
async function offer(levain: Command, machine: Machine): Promise<number> {
  if (isStopped(machine)) return print(listRescueCommands());
  console.error(await formatUsage(levain, undefined, columnsOf(process.stderr)));
  return 2;
}

/** What a person in the rescue shell is offered, who has typed \`levain\` alone. */
function listRescueCommands(): string {
  const describe = (name: string) => {
    const { description = "" } = (COMMANDS[name]?.meta ?? {}) as { readonly description?: string };
    return [`  levain ${name}`, description.replace(/ \(rescue shell\)$/, "")];
  };
  return [...alignColumns(RESCUE_COMMANDS.map(describe)), "", "levain help lists all commands"].join("\n");
}

const usage = (shown: Command, parent?: Command) => formatUsage(shown, parent, columnsOf(process.stdout));

function print(text: string): number {
  writeLine(text);
  return 0;
}
