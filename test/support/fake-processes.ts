import type { Processes } from "../../src/machine/child.ts";
import type { Handover } from "../../src/machine/handover.ts";
import type { Kernel, OnWait } from "../../src/machine/kernel.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { pathOf } from "./fake-mounts.ts";

/** What a fake program is told, and what it does: it may use the machine like any other process. */
export type FakeProgram = (call: {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The tty that it runs on; null where it shares ours. */
  readonly terminal: string | null;
  /** Its standard input; null where it has ours. */
  readonly input: string | null;
}) => FakeEnd | undefined;

/** How it ends, and after how many milliseconds: at once by default. */
export interface FakeEnd {
  readonly status?: number;
  readonly output?: string;
  readonly tookMs?: number;
  /** It leaves a daemon, and this is done when that is ended. */
  readonly onDaemonEnd?: () => void;
}

/** Runs a program in the background. Throws SyscallError if it cannot be started. */
export type FakeProcess = (
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  input?: string | null,
) => FakeEnd;

/** Thrown where the real machine would not come back: from then on every call throws it again. */
export class Ended extends Error {
  readonly handover: Handover | null;
  readonly power: "reboot" | "poweroff" | "halt" | "resume" | "reset" | null;

  constructor(handover: Handover | null, power: Ended["power"]) {
    super(handover === null ? `the machine does ${power}` : `handed over to ${handover.init}`);
    this.name = "Ended";
    this.handover = handover;
    this.power = power;
  }
}

/** Moves the clock by `ms`, and calls `onWait` meanwhile. */
export function waitAloud(kernel: FakeKernel, ms: number, onWait: OnWait | undefined): void {
  const startMs = kernel.nowMs;
  while (kernel.nowMs < startMs + ms) {
    const pauseMs = onWait?.(kernel.nowMs - startMs) ?? ms;
    kernel.waitUntil(Math.min(startMs + ms, kernel.nowMs + pauseMs));
  }
}

/** 128 and SIGHUP. */
const HUNG_UP = 129;

/** Programs by the path that they are started with, or that it leads to. */
export type FakePrograms = Readonly<Record<string, FakeProgram>>;

/** The calls on processes; `end` is called where the process would end. */
export function createFakeProcesses(
  kernel: FakeKernel,
  options: {
    readonly isBoot?: boolean;
    readonly programs?: FakePrograms;
    readonly show: (text: string, node?: string) => void;
    readonly end: (ended: Ended) => never;
    /** True while somebody will type on a terminal at a given time. */
    readonly isTyping: () => boolean;
  },
): Processes & Pick<Kernel, "power"> & { readonly start: FakeProcess } {
  let lastPid = 100;
  let hungUp: number | null = null;

  function start(
    argv: readonly string[],
    environment: Readonly<Record<string, string>>,
    terminal: string | null,
    input: string | null = null,
  ) {
    const [path = ""] = argv;
    const place = kernel.namespace.find(path, "posix_spawn");
    const isProgram = place.node.kind === "file" && (place.node.mode & 0o111) !== 0;
    if (!isProgram) throw new SyscallError("posix_spawn", "EACCES", path);
    if (terminal !== null) kernel.namespace.find(terminal, "posix_spawn");
    const program = options.programs?.[path] ?? options.programs?.[pathOf(place)];
    if (program === undefined) throw new Error(`FakeMachine: the test says nothing of the program ${path}`);
    return program({ argv, environment, terminal, input }) ?? {};
  }

  return {
    isBoot: options.isBoot ?? true,
    start: (argv, environment, input) => start(argv, environment, null, input),
    run(argv, { capture = false, environment = {}, onWait, input = null } = {}) {
      const { status = 0, output = "", tookMs = 0 } = start(argv, environment, null, input);
      waitAloud(kernel, tookMs, onWait);
      if (!capture) options.show(output);
      return {
        status,
        output: capture
          ? Buffer.from(output)
              .subarray(0, 64 << 10)
              .toString()
          : "",
      };
    },
    runOnTerminal(argv, terminal, environment, onStart, meanwhile = null) {
      const pid = ++lastPid;
      onStart(pid);
      while (meanwhile !== null && hungUp !== pid && options.isTyping()) meanwhile();
      if (hungUp === pid) return HUNG_UP;
      const { status = 0, output = "" } = start(argv, environment, terminal);
      options.show(output);
      return status;
    },
    hangUp(pid) {
      if (!Number.isInteger(pid) || pid <= 1) throw new SyscallError("kill", "EINVAL", String(pid));
      hungUp = pid;
    },
    restartInit: () => undefined,
    handOver(handover) {
      if (options.isBoot === false) throw new SyscallError("write", "EBADF", "handover");
      options.end(new Ended(handover, null));
    },
    writeConsole: options.show,
    power: (action) => options.end(new Ended(null, action)),
  };
}
