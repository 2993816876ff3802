import type { Handover } from "./handover.ts";
import type { OnWait } from "./kernel.ts";

/** The state of a child process when its answer is awaited. */
export type ChildNews =
  | { readonly kind: "answer" /** The caller wipes them. */; readonly bytes: Uint8Array }
  /** It is still working. */
  | { readonly kind: "busy" }
  /** It ended without an answer: the exit status, or 128 + the signal's number. */
  | { readonly kind: "gone"; readonly status: number };

/** A second process of this program, which carries out one order after the other. */
export interface Child {
  /** Sends an order of up to 16 MiB; the previous one must be answered. The caller wipes its own copy. */
  order(bytes: Uint8Array): void;
  /** Waits for the answer to the order, at most `timeoutMs`. After "gone" only `stop` may be called. */
  answer(timeoutMs: number): ChildNews;
  /** True if it has left programs running, daemons too. */
  hasDaemons(): boolean;
  /** Kills it at once, and overwrites the order and the answer. "with programs": kills what it has started too, but no daemon; "with daemons": all. */
  stop(extent?: "with programs" | "with daemons"): void;
}

/** Work in another process, which can be stopped at any time. */
export interface Children {
  /** Starts this program again as `levain COMMAND`, which must call `serveParent`. Throws SyscallError if no process can be started. */
  startChild(command: string): Child;
  /**
   * In such a process, answers orders until the parent stops it or is gone. `work` gets an order in memory that the parent
   * overwrites, so it must not copy secrets; its answer is wiped here. It must not throw or reject.
   */
  serveParent(work: (order: Uint8Array) => Uint8Array | Promise<Uint8Array>): Promise<never>;
  /** In such a process, runs a program that gets `input` and yields its output; returns its exit status, or 128 + the signal's number. */
  filter(argv: readonly string[], input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, number>;
}

/** How to run a program. */
export interface RunOptions {
  /** Collects its output instead of showing it. */
  readonly capture?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Its standard input; by default it has ours. */
  readonly input?: string;
  readonly onWait?: OnWait;
}

/** How a program ended. */
export interface RunResult {
  /** The exit status, or 128 + the signal's number. */
  readonly status: number;
  /** stdout and stderr with `capture`, at most 64 KiB. */
  readonly output: string;
}

/** Other programs, the console, and stage0, which waits for the handover. */
export interface Processes {
  /** True if this process is the boot: stage0 waits for its handover. */
  readonly isBoot: boolean;
  /** Runs a program until it exits; argv[0] is a path. */
  run(argv: readonly string[], options?: RunOptions): RunResult;
  /**
   * Runs a program in a new session with `terminal` (a tty node) as its controlling terminal; returns its exit status. `onStart` gets
   * its process id; `meanwhile` is called again and again while it runs, and waits for a moment itself.
   */
  runOnTerminal(
    argv: readonly string[],
    terminal: string,
    environment: Readonly<Record<string, string>>,
    onStart: (pid: number) => void,
    meanwhile?: (() => void) | null,
  ): number;
  /** Sends SIGHUP; a process that is gone is no error. */
  hangUp(pid: number): void;
  /** Sends SIGQUIT to process 1: BusyBox's init then becomes the program of its action "restart". */
  restartInit(): void;
  /** Sends the handover to stage0 and ends this process. */
  handOver(handover: Handover): never;
  /** Writes text as it is to the console (/dev/console), or to the tty `node`. Never throws: text that a tty does not accept within a second is lost. */
  writeConsole(text: string, node?: string | undefined): void;
}
