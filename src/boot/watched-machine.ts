import type { Machine } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";

/** What hears of the calls of a machine. */
export interface CallWatcher {
  /** The longest wait in one piece; null while nothing is to be fed. */
  readonly sliceMs: () => number | null;
  /** Called while something is waited for. */
  readonly feed: () => void;
  /** Called when something has happened, and while a person may be at work. */
  readonly advance: () => void;
  /** Does `act` without a watchdog: the kernel feeds none meanwhile, and another system may continue from there. */
  readonly suspend: <T>(act: () => T) => T;
  /** Called before the machine ends. */
  readonly end: (action: "reboot" | "poweroff" | "halt") => void;
}

/** A sleep that long has no end: nothing will happen. */
const FOR_EVER_MS = 3_600_000;
/** How often a program on a terminal is looked at. */
const LOOK_MS = 250;
/** A mount may replay a long journal. */
const LONGEST_MOUNT_MS = 3_600_000;
/** The kernel reads a hibernated system while this is written (kernel/power/hibernate.c). */
const RESUME = "/sys/power/resume";

/** Returns the machine, whose long waits are cut into slices. A call that the kernel does not return from is noticed by its silence. */
export function watchCalls(machine: Machine, watcher: CallWatcher): Machine {
  const progress = <T>(value: T): T => {
    watcher.advance();
    return value;
  };
  const tools = { machine, watcher, progress, inSlices: createSlices(machine, watcher) };
  return {
    ...machine,
    ...watchWaits(tools),
    ...watchOthers(tools),
    ...watchWork(tools),
    power(action) {
      watcher.end(action);
      machine.power(action);
    },
  };
}

interface Tools {
  readonly machine: Machine;
  readonly watcher: CallWatcher;
  readonly progress: <T>(value: T) => T;
  readonly inSlices: ReturnType<typeof createSlices>;
}

/** What waits for devices, for time and for a person. */
function watchWaits({ machine, watcher, progress, inSlices }: Tools) {
  return {
    nextDeviceEvent: (timeoutMs) => inSlices(timeoutMs, machine.nextDeviceEvent, (event) => event !== null),
    waitForNetwork: (sockets, timeoutMs) =>
      inSlices(
        timeoutMs,
        (ms) => machine.waitForNetwork(sockets, ms),
        () => false,
      ),
    readTerminals: (timeoutMs, until) =>
      inSlices(
        timeoutMs,
        (ms) => machine.readTerminals(ms, until),
        ({ kind }) => progress(kind !== "timeout"),
      ),
    sleepMs(ms) {
      if (ms >= FOR_EVER_MS) machine.sleepMs(ms);
      // What follows a sleep comes for sure.
      else inSlices(ms, machine.sleepMs, () => progress(false));
    },
    runOnTerminal(argv, terminal, environment, onStart, meanwhile = null) {
      if (watcher.sliceMs() === null) return machine.runOnTerminal(argv, terminal, environment, onStart, meanwhile);
      const wait = meanwhile ?? (() => machine.sleepMs(LOOK_MS));
      return machine.runOnTerminal(argv, terminal, environment, onStart, () => progress(wait()));
    },
  } satisfies Partial<Machine>;
}

/** What other processes and the kernel do meanwhile. */
function watchOthers({ machine, watcher, progress, inSlices }: Tools) {
  return {
    run: (argv, options) =>
      // A checker that is interrupted by a reset damages what it repairs: it may take as long as it runs.
      progress(machine.run(argv, withFeeding(options, watcher, Number.POSITIVE_INFINITY))),
    mount: (request) => progress(machine.mount(withFeeding(request, watcher, LONGEST_MOUNT_MS))),
    mountApart() {
      const apart = machine.mountApart();
      return {
        ...apart,
        mount: (request, timeoutMs) => progress(inSlices.orLate(timeoutMs, (ms) => apart.mount(request, ms))),
        touch: (path, look, timeoutMs) => progress(inSlices.orLate(timeoutMs, (ms) => apart.touch(path, look, ms))),
      };
    },
    startModule(...given) {
      const pending = machine.startModule(...given);
      return { isDone: (timeoutMs) => inSlices(timeoutMs, pending.isDone, (isDone) => isDone) };
    },
    startChild(command) {
      const child = machine.startChild(command);
      return { ...child, answer: (timeoutMs) => inSlices(timeoutMs, child.answer, ({ kind }) => kind !== "busy") };
    },
  } satisfies Partial<Machine>;
}

/** What this process does itself. */
function watchWork({ machine, watcher, progress }: Tools) {
  return {
    openReader(path, isWhole) {
      const reader = machine.openReader(path, isWhole);
      return {
        size: reader.size,
        read: (offset, length) => progress(reader.read(offset, length)),
        close: reader.close,
      };
    },
    copyFile: (source, target, { onProgress, ...watch } = {}) =>
      machine.copyFile(source, target, { ...watch, onProgress: (done) => progress(onProgress?.(done)) }),
    writeFile(path, data) {
      const write = () => machine.writeFile(path, data);
      progress(path === RESUME ? watcher.suspend(write) : write());
    },
  } satisfies Partial<Machine>;
}

function createSlices(machine: Machine, { sliceMs, feed, advance }: CallWatcher) {
  /** Waits at most `timeoutMs` in slices; `hasHappened` ends that, and so does a slice that returns early. */
  function inSlices<T>(timeoutMs: number | null, wait: (ms: number) => T, hasHappened: (value: T) => boolean): T {
    const slice = sliceMs();
    if (slice === null) return wait(timeoutMs as number); // null where the call takes it
    const endMs = timeoutMs === null ? Number.POSITIVE_INFINITY : machine.nowMs() + timeoutMs;
    for (;;) {
      const startMs = machine.nowMs();
      const turnMs = Math.min(slice, Math.max(0, endMs - startMs));
      const value = wait(turnMs);
      const isOver = hasHappened(value) || machine.nowMs() - startMs < turnMs - 1;
      if (isOver) advance();
      else feed();
      if (isOver || machine.nowMs() >= endMs - 1) return value;
    }
  }
  /** The same for calls that end in ETIMEDOUT, and go on when they are repeated. */
  inSlices.orLate = <T>(timeoutMs: number, wait: (ms: number) => T): T => {
    const endMs = machine.nowMs() + timeoutMs;
    for (;;) {
      try {
        return wait(Math.min(sliceMs() ?? timeoutMs, Math.max(0, endMs - machine.nowMs())));
      } catch (error) {
        if (!isErrno(error, "ETIMEDOUT") || machine.nowMs() >= endMs - 1) throw error;
        feed();
      }
    }
  };
  return inSlices;
}

type WithWait = { readonly onWait?: (waitedMs: number) => number };

/** Has the call come back while it waits. One that the boot announces, a checker or the mount of a device, is progress for `patienceMs`. */
function withFeeding<T extends WithWait>(
  given: T | undefined,
  { sliceMs, feed, advance }: CallWatcher,
  patienceMs: number,
): T {
  const slice = sliceMs();
  const request = given ?? ({} as T);
  if (slice === null) return request;
  const onWait = (waitedMs: number) => {
    if (request.onWait !== undefined && waitedMs < patienceMs) advance();
    else feed();
    return Math.min(slice, request.onWait?.(waitedMs) ?? slice);
  };
  return { ...request, onWait };
}
