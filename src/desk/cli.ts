import { type CommandDef, defineCommand, renderUsage, runCommand } from "citty";
import packageJson from "../../package.json" with { type: "json" };
import type { Machine } from "../machine/machine.ts";
import { printable, report } from "../problems/report.ts";
import { UsageError } from "./command-line.ts";
import { extractCommand } from "./commands/extract.ts";
import { graftCommand } from "./commands/graft.ts";
import { guestCommands } from "./commands/guest.ts";
import { helpCommand } from "./commands/help.ts";
import { imageCommand } from "./commands/image.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { modulesCommand } from "./commands/modules.ts";
import { planCommand } from "./commands/plan.ts";

const DESK_COMMANDS = {
  image: imageCommand,
  graft: graftCommand,
  inspect: inspectCommand,
  modules: modulesCommand,
  plan: planCommand,
  help: helpCommand,
};

// biome-ignore lint/suspicious/noExplicitAny: citty's own type for commands with any arguments
type Command = CommandDef<any>;

/**
 * `levain` as a command: runs what the words after the program's name ask for. Returns the exit status: 1 where that
 * failed, 2 for a command line that is not understood.
 */
export async function runDesk(argv: readonly string[], machine: Machine): Promise<number> {
  const commands: Readonly<Record<string, Command>> = {
    ...DESK_COMMANDS,
    extract: extractCommand(machine),
    ...guestCommands(machine),
  };
  const levain: Command = defineCommand({
    meta: { name: "levain", version: packageJson.version, description: packageJson.description },
    args: { version: { type: "boolean", alias: "V", description: "Say the version" } },
    subCommands: commands,
  });
  const find = (name: string | undefined) =>
    name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  const [name, ...rest] = argv;
  if (name === "--version" || name === "-V") return say(packageJson.version);
  if (asksForHelp(argv.slice(0, 1)) || (name === "help" && rest.length === 0)) return say(await usage(levain));
  const command = find(name);
  if (!command) {
    console.error(await usage(levain));
    if (name !== undefined) console.error(`\nUnknown command '${printable(name)}'`);
    return 2;
  }
  // `levain help image` is `levain image --help`.
  const topic = command === helpCommand ? find(rest[0]) : undefined;
  if (topic ?? asksForHelp(rest)) return say(await usage(topic ?? command, levain));
  return runOne(command, `levain ${name}`, rest);
}

async function runOne(command: Command, name: string, rawArgs: string[]): Promise<number> {
  try {
    const { result } = await runCommand(command, { rawArgs });
    return typeof result === "number" ? result : 0;
  } catch (error) {
    return tell(error, name);
  }
}

function tell(error: unknown, command: string): number {
  if (error instanceof UsageError || (error instanceof Error && error.name === "CLIError")) {
    console.error(`${plain(error.message)}\nhint: ${command} --help shows how it is used`);
    return 2;
  }
  console.error(report(error).join("\n"));
  return 1;
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).some((word) => word === "--help" || word === "-h");
}

async function usage(command: Command, parent?: Command): Promise<string> {
  return plain(await renderUsage(command, parent));
}

/** citty colours its texts also where they go into a file. */
function plain(text: string): string {
  return process.stdout.isTTY ? text : Bun.stripANSI(text);
}

function say(text: string): number {
  console.log(text);
  return 0;
}
