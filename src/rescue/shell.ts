import { readText } from "../devices/block-devices.ts";
import { findBusybox, linkShell } from "../filesystems/busybox.ts";
import type { Console } from "../log/console.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import { findTerminal } from "../prompt/terminal.ts";

/** What `levain retry` leaves for the boot: parameters to add to the command line. */
export const RETRY_FILE = "/run/levain/retry.json";
/** The process that `levain retry` ends: the rescue shell. */
export const SHELL_PID_FILE = "/run/levain/rescue.pid";

const APPLETS = "/run/levain/applets";
const COMMANDS = "/run/levain/bin";
/** A shell that ends sooner has not been used by anybody: without a pause it would start again for ever. */
const SHORTEST_SHELL_MS = 2000;

const ENVIRONMENT = {
  PATH: `${COMMANDS}:/usr/sbin:/usr/bin:/sbin:/bin:${APPLETS}`,
  HOME: "/",
  TERM: "linux",
  PS1: "levain:\\w# ",
};

/** Runs the shell on the real terminal to its end; returns the parameters that `levain retry` was given, or null where no shell can be started: that is said. */
export function runShell(machine: Machine, shell: readonly string[], console: Console): readonly string[] | null {
  attempt(() => installCommands(machine), "the shell has no `levain` and no applets on its path", console);
  attempt(() => linkShell(machine), "scripts have no /bin/sh", console);
  attempt(() => removeIfThere(machine, RETRY_FILE), "an old `levain retry` cannot be forgotten", console);
  const startMs = machine.nowMs();
  const wasRun = [findTerminal(machine), "/dev/console"].some((terminal) => runOn(machine, shell, terminal, console));
  if (!wasRun) return null;
  attempt(() => removeIfThere(machine, SHELL_PID_FILE), "the shell is still written down as running", console);
  machine.sleepMs(Math.max(0, SHORTEST_SHELL_MS - (machine.nowMs() - startMs)));
  return takeRetryParameters(machine, console);
}

function runOn(machine: Machine, shell: readonly string[], terminal: string, console: Console): boolean {
  const remember = (pid: number) =>
    attempt(
      () => machine.writeFile(SHELL_PID_FILE, `${pid}\n`),
      "`levain retry` cannot end this shell, `exit` can",
      console,
    );
  return attempt(
    () => console.kernel.aside(() => machine.runOnTerminal(shell, terminal, ENVIRONMENT, remember)),
    `could not start the shell ${shell[0] ?? ""} on ${terminal}`,
    console,
  );
}

/** `levain` on the path, and every BusyBox applet behind all real programs; in somebody else's image neither may be there yet. */
function installCommands(machine: Machine): void {
  const busybox = findBusybox(machine);
  for (const directory of [APPLETS, COMMANDS]) machine.makeDirectory(directory);
  if (machine.lstat(`${COMMANDS}/levain`) === null) machine.makeSymlink(findSelf(machine), `${COMMANDS}/levain`);
  if (busybox === null || machine.listDirectory(APPLETS).length > 0) return;
  machine.run([busybox, "--install", "-s", APPLETS], { capture: true });
}

/** Where this program lies: /init, but in a classic initrd what the kernel was told to start (argv_init of init/main.c). */
function findSelf(machine: Machine): string {
  if (machine.stat("/init") !== null) return "/init";
  const [started = ""] = readText(machine, "/proc/1/cmdline").split("\0");
  return started.startsWith("/") ? started : "/init";
}

/** What `levain retry` wrote; anything else is as good as nothing. */
function takeRetryParameters(machine: Machine, console: Console): readonly string[] {
  let words: readonly string[] = [];
  attempt(
    () => {
      if (machine.stat(RETRY_FILE) === null) return;
      words = parseWords(readText(machine, RETRY_FILE));
      machine.removeFile(RETRY_FILE);
    },
    "the parameters of `levain retry` cannot be read",
    console,
  );
  return words;
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

/** Around a shell nothing may fail for good: a refusal is said, and false is returned. */
function attempt(act: () => void, otherwise: string, console: Console): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (!isErrno(error)) throw error;
    console.warn(`${otherwise}: ${describeRefusal(error)}`);
    return false;
  }
}
