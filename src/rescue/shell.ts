import { findBusybox, linkShell } from "../filesystems/busybox.ts";
import type { Console } from "../log/console.ts";
import { listConsoles, listShellTerminals, nameTerminal } from "../log/consoles.ts";
import type { Machine } from "../machine/machine.ts";
import { readText, textOrNone } from "../machine/small-files.ts";
import { unlessRefused } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import { type OtherTerminals, WATCH_NONE, watchOtherTerminals } from "./other-terminals.ts";
import { installCompletion } from "./shell-commands.ts";

/** The parameters of `levain set` and `levain retry`, which the boot adds to the command line. */
export const RETRY_FILE = "/run/levain/retry.json";
/** The process that `levain retry` ends: the rescue shell. */
export const SHELL_PID_FILE = "/run/levain/rescue.pid";

const APPLETS = "/run/levain/applets";
const COMMANDS = "/run/levain/bin";
/** A shell that ends sooner was not used (its console is gone): without a pause it would be restarted in a busy loop. */
const SHORTEST_SHELL_MS = 2000;

const ENVIRONMENT = {
  PATH: `${COMMANDS}:/usr/sbin:/usr/bin:/sbin:/bin:${APPLETS}`,
  HOME: "/",
  TERM: "linux",
  PS1: "levain:\\w# ",
};

/** The variable that names the only terminal of a shell, for the menu in it. */
export const ONLY_TERMINAL = "LEVAIN_TERMINAL";

/** What runs at the terminal of a person: a shell, or the menu. */
interface RescueProgram {
  readonly argv: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** It shows itself on the other consoles, and listens there. */
  readonly hasAllConsoles?: boolean;
  /** The only terminal where it may run, and its menu: a person has typed a password there. */
  readonly only?: string | null;
}

interface Saying {
  readonly console: Console;
  readonly lines: readonly string[];
}

/** Runs the shell on the first terminal that can be used, until it exits, after `lines` and where it is; returns the parameters of `levain retry`, or null, after a warning, if no shell can be started. */
export function runShell(
  machine: Machine,
  argv: readonly string[],
  saying: Saying,
  only: string | null = null,
): readonly string[] | null {
  return runProgram(machine, { argv, only }, saying)?.words ?? null;
}

/** The same with any program; returns its exit status too. */
export function runProgram(
  machine: Machine,
  program: RescueProgram,
  saying: Saying,
): { readonly status: number; readonly words: readonly string[] } | null {
  const { console } = saying;
  attempt(() => installCommands(machine), "the shell has no `levain` and no applets on its path", console);
  attempt(() => linkShell(machine), "scripts have no /bin/sh", console);
  attempt(() => removeIfThere(machine, RETRY_FILE), `could not remove the old ${RETRY_FILE}`, console);
  const startMs = machine.nowMs();
  const status = runWhereWanted(machine, program, saying);
  if (status === null) return null;
  attempt(() => removeIfThere(machine, SHELL_PID_FILE), `could not remove ${SHELL_PID_FILE}`, console);
  machine.sleepMs(Math.max(0, SHORTEST_SHELL_MS - (machine.nowMs() - startMs)));
  return { status, words: takeRetryParameters(machine, console) };
}

/** Runs the program on the first terminal where it starts, then on each to which a person moves it. Returns its last exit status; null if it starts nowhere. */
function runWhereWanted(machine: Machine, program: RescueProgram, { console, lines }: Saying): number | null {
  let said = lines;
  const isFixed = program.only != null || program.hasAllConsoles === true;
  let terminals = program.only == null ? listShellTerminals(machine) : [program.only];
  let lastStatus: number | null = null;
  for (let [terminal] = terminals; terminal !== undefined; [terminal] = terminals) {
    const watch = isFixed ? WATCH_NONE : watchOtherTerminals(machine, terminal);
    const move = watch.meanwhile === null ? [] : ["press Enter twice on another console to move it there"];
    const place = program.hasAllConsoles ? [] : [...describePlace(machine, terminal), ...move];
    sayIfAny(console, [...said, ...place]);
    said = [];
    const status = runOn(machine, program, terminal, console, watch);
    watch.end();
    lastStatus = status ?? lastStatus;
    const wanted = watch.wanted();
    if (status !== null && wanted === null) return status;
    terminals = wanted === null ? terminals.slice(1) : [wanted, terminal];
  }
  return lastStatus;
}

function sayIfAny(console: Console, lines: readonly string[]): void {
  if (lines.length > 0) console.trouble(lines);
}

/** Says where the shell is, unless a person can sit only there. */
export function describePlace(
  machine: Machine,
  terminal = listShellTerminals(machine)[0] ?? "/dev/console",
): readonly string[] {
  if (listConsoles(machine).length === 1) return [];
  const why = terminal === listShellTerminals(machine)[0] ? ": the last console= decides" : "";
  return [`the shell is on ${nameTerminal(machine, terminal)}${why}`];
}

/** Returns the exit status; null, after a warning, if it cannot be started there. */
function runOn(
  machine: Machine,
  { argv, environment, hasAllConsoles = false, only = null }: RescueProgram,
  terminal: string,
  console: Console,
  watch: OtherTerminals,
): number | null {
  const start = (pid: number) => {
    watch.begin(pid);
    const write = () => machine.writeFile(SHELL_PID_FILE, `${pid}\n`);
    attempt(write, "`levain retry` cannot end this shell, `exit` can", console);
  };
  const all = { ...ENVIRONMENT, ...environment, ...(only !== null && { [ONLY_TERMINAL]: only }) };
  let status: number | null = null;
  const run = () => {
    status = machine.runOnTerminal(argv, terminal, all, start, watch.meanwhile);
  };
  // In a shell, the kernel's messages show what a command has done; in the menu they would be between its lines.
  const act = () => (hasAllConsoles ? run() : console.kernel.aside(run));
  const what = hasAllConsoles ? "menu" : "shell";
  attempt(act, `could not start the ${what} ${argv[0] ?? ""} on ${terminal}`, console);
  return status;
}

/** Puts `levain` first and the BusyBox applets last on the path; an image that levain did not build may have neither. */
function installCommands(machine: Machine): void {
  const busybox = findBusybox(machine);
  for (const directory of [APPLETS, COMMANDS]) machine.makeDirectory(directory);
  if (machine.lstat(`${COMMANDS}/levain`) === null) {
    machine.makeSymlink(findSelf(machine), `${COMMANDS}/levain`);
    installCompletion(machine, COMMANDS);
  }
  if (busybox === null || machine.listDirectory(APPLETS).length > 0) return;
  machine.run([busybox, "--install", "-s", APPLETS], { capture: true });
}

/** Returns the path of this program, which the kernel started as process 1 (argv_init of init/main.c). */
export function findSelf(machine: Machine): string {
  const [started = ""] = textOrNone(machine, "/proc/1/cmdline").split("\0");
  return started.startsWith("/") ? started : "/init";
}

/** Reads what `levain retry` wrote; ignores anything else. */
export function takeRetryParameters(machine: Machine, console: Console): readonly string[] {
  let words: readonly string[] = [];
  const take = () => {
    words = readKept(machine);
    removeIfThere(machine, RETRY_FILE);
  };
  attempt(take, "could not read the parameters of `levain retry`", console);
  return words;
}

/** Reads the parameters for the next retry. Throws SyscallError. */
export function readKept(machine: Machine): readonly string[] {
  return machine.stat(RETRY_FILE) === null ? [] : parseWords(readText(machine, RETRY_FILE));
}

function parseWords(text: string): readonly string[] {
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) ? words.map(String) : [];
  } catch {
    return [];
  }
}

function removeIfThere(machine: Machine, path: string): void {
  if (machine.lstat(path) !== null) machine.removeFile(path);
}

/** Warns of a refusal and returns false: nothing around the shell may end the boot. */
function attempt(act: () => void, otherwise: string, console: Console): boolean {
  return unlessRefused(
    () => {
      act();
      return true;
    },
    (refusal) => {
      console.warn(`${otherwise}: ${describeRefusal(refusal)}`);
      return false;
    },
  );
}
