import { closeSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { SPACE_HINT } from "../temporary.ts";
import { findTool } from "../tool.ts";
import { type GuestOptions, guestArguments } from "./guest-arguments.ts";
import { MACHINES } from "./machines.ts";
import { listenForMonitor } from "./monitor.ts";

/** How a guest ended. */
export interface GuestEnd {
  /** QEMU's exit status. */
  readonly status: number;
  /** QEMU's word for it: "guest-shutdown" (it switched itself off), "guest-reset", "host-qmp-quit", …; null if QEMU gave none. */
  readonly reason: string | null;
  /** What the guest's kernel said when it panicked; null if it did not. */
  readonly panic: string | null;
  /** What the guest wrote to its console, of much text the end. */
  readonly console: string;
  /** What QEMU printed on standard error, if its console is not this terminal. */
  readonly complaint: string;
}

/** What `runGuest` does besides starting QEMU. */
export interface GuestHooks {
  /** The console is this terminal; otherwise it is only recorded. */
  readonly isInteractive: boolean;
  /** Called with the console's output so far, each time there is more; the guest is ended when it returns true. */
  readonly isOver?: (text: string) => boolean;
  /** Registers what is to be done when a signal ends this program. */
  readonly onSignal: (act: () => void) => void;
  /** Aborts the guest. */
  readonly signal?: AbortSignal;
}

const PANIC = /Kernel panic - not syncing: (.*)/;
/** Each output is searched again, also of a guest that runs for days. */
const KEPT_CHARACTERS = 1 << 20;
const PANIC_END = "---[ end Kernel panic";
/** Bun's `fs.watch` often leaves out the last change of a file, which is the panic: the log is read at intervals. */
const LOOK_MS = 200;

/** Starts QEMU for a guest and waits for its end; files go to `directory`, which is private. A kernel that panicked ends the guest. */
export async function runGuest(options: GuestOptions, directory: string, hooks: GuestHooks): Promise<GuestEnd> {
  const { isInteractive, isOver, onSignal, signal } = hooks;
  const log = join(directory, "console.log");
  const socket = join(directory, "monitor");
  writeFileSync(log, "");
  let reason: string | null = null;
  const monitor = listenForMonitor(socket);
  let isFull = false;
  monitor.onEvent((name, data) => {
    if (name === "SHUTDOWN") reason = String(data["reason"]);
    // QEMU stops the guest until there is space again.
    if (name !== "BLOCK_IO_ERROR" || data["action"] !== "stop") return;
    isFull = true;
    end();
  });
  const file = `logappend=on,logfile=${log.replaceAll(",", ",,")}`;
  // Ctrl-C is for the guest; Ctrl-A X ends QEMU.
  const chardev = isInteractive ? `stdio,id=console,mux=on,signal=off,${file}` : `null,id=console,${file}`;
  const argv = [
    ...[findTool(MACHINES[options.architecture].program, "start a guest"), ...guestArguments(options)],
    ...["-chardev", chardev, "-serial", "chardev:console"],
    ...(isInteractive ? ["-mon", "chardev=console,mode=readline"] : []),
    ...["-chardev", `socket,id=qmp,path=${socket.replaceAll(",", ",,")}`, "-mon", "chardev=qmp,mode=control"],
  ];
  const restoreTerminal = saveTerminal(isInteractive);
  const errors = join(directory, "errors.log");
  writeFileSync(errors, "");
  const child = isInteractive
    ? Bun.spawn(argv, { stdin: "inherit", stdout: "inherit", stderr: "inherit" })
    : Bun.spawn(argv, { stdin: "ignore", stdout: "ignore", stderr: Bun.file(errors) });
  const end = () => child.kill("SIGTERM");
  onSignal(() => {
    child.kill("SIGKILL");
    restoreTerminal();
  });
  signal?.addEventListener("abort", end);
  const reader = createLogReader(log);
  const look = () => {
    const text = reader.read();
    if (text.includes(PANIC_END) || isOver?.(text) === true) end();
  };
  const timer = setInterval(look, LOOK_MS);
  try {
    const status = await child.exited;
    if (isFull)
      throw new BootError("there is no space left for what the guest writes to its disks", { hint: SPACE_HINT });
    const text = reader.read();
    const panic = PANIC.exec(text)?.[1]?.trim() ?? null;
    return { status, reason, panic, console: text, complaint: readFileSync(errors, "utf8") };
  } finally {
    clearInterval(timer);
    reader.close();
    monitor.close();
    restoreTerminal();
  }
}

/** Reads a file that grows. */
function createLogReader(path: string) {
  const file = openSync(path, "r");
  const decoder = new TextDecoder();
  const room = new Uint8Array(1 << 16);
  let text = "";
  return {
    /** Returns the text so far, without `\r`, of much text the end. */
    read(): string {
      for (let length = -1; length !== 0; ) {
        length = readSync(file, room, 0, room.length, null);
        const more = decoder.decode(room.subarray(0, length), { stream: true });
        text = `${text}${more.replaceAll("\r", "")}`.slice(-KEPT_CHARACTERS);
      }
      return text;
    },
    close: () => closeSync(file),
  };
}

/** Saves the settings of the terminal, and returns a function that restores them: QEMU does not if it is killed. */
function saveTerminal(isInteractive: boolean): () => void {
  if (!isInteractive || !process.stdin.isTTY) return () => undefined;
  const stty = (...args: readonly string[]) =>
    Bun.spawnSync(["stty", ...args], { stdin: "inherit", stdout: "pipe", stderr: "ignore" })
      .stdout.toString()
      .trim();
  const saved = stty("-g");
  return () => {
    if (saved !== "") stty(saved);
  };
}
