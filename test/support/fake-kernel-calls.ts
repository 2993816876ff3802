import type { Kernel, PendingModule } from "../../src/machine/kernel.ts";
import type { Clock, Devices } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** Uevents, for which waiting moves the clock. */
export function createFakeEvents(kernel: FakeKernel): Pick<Devices, "listenForDevices" | "nextDeviceEvent"> {
  return {
    listenForDevices: () => kernel.devices.listen(),
    nextDeviceEvent(timeoutMs) {
      kernel.devices.listen();
      const deadlineMs = timeoutMs === null ? Number.POSITIVE_INFINITY : kernel.nowMs + Math.max(0, timeoutMs);
      for (;;) {
        if (kernel.devices.hasEvent() || kernel.hearAnswer()) return kernel.devices.takeEvent();
        const nextMs = Math.min(kernel.nextArrivalMs ?? Number.POSITIVE_INFINITY, deadlineMs);
        if (nextMs === Number.POSITIVE_INFINITY) throw new Error("FakeMachine: waits for ever, no device is to come");
        if (kernel.nowMs >= deadlineMs) return null;
        kernel.waitUntil(nextMs);
      }
    },
  };
}

/** Modules, the kernel's log and its name. */
export function createFakeKernelCalls(
  kernel: FakeKernel,
  release: ReturnType<Kernel["release"]>,
): Omit<Kernel, "power"> {
  return {
    release: () => release,
    exitProgram: () => Buffer.from("exit program"),
    startModule(path) {
      try {
        return startFakeModule(kernel, path);
      } catch (error) {
        const isDone = () => {
          throw error;
        };
        return { isDone };
      }
    },
    probeDriver: () => undefined,
    writeKernelLog(_level, text) {
      for (const line of text.split("\n")) if (line !== "") kernel.say(`levain: ${line}`, true);
    },
    kernelLogMark: () => kernel.log.length - 1,
    kernelLogSince: (mark) =>
      kernel.log
        .slice(mark + 1)
        .filter(({ isOurs }) => !isOurs)
        .map(({ text }) => text),
    readKernelLog: () => kernel.log.filter(({ isOurs }) => !isOurs),
  };
}

/** Begins to load a module; throws what refuses it. */
function startFakeModule(kernel: FakeKernel, path: string): PendingModule {
  const place = kernel.namespace.find(path, "open");
  const name = (path.split("/").at(-1) ?? "").replace(/\.ko$/, "").replaceAll("-", "_");
  const module = kernel.modules[name];
  if (place.node.kind !== "file" || module === undefined || !path.endsWith(".ko"))
    throw new SyscallError("finit_module", "ENOEXEC", path);
  if (kernel.loadedModules.includes(name)) throw new SyscallError("finit_module", "EEXIST", path);
  const missing = module.needs?.find((needed) => !kernel.loadedModules.includes(needed));
  if (missing !== undefined) {
    kernel.say(`${name}: Unknown symbol of ${missing} (err -2)`);
    throw new SyscallError("finit_module", "ENOENT", path);
  }
  const { takesMs = 0 } = module;
  const due = { atMs: kernel.nowMs + takesMs, isOnce: true };
  if (takesMs > 0) kernel.answers.add(due);
  kernel.happenAt(due.atMs, () => kernel.addModule(name, module));
  return {
    isDone: (timeoutMs) => takeAnswer(kernel, due, timeoutMs),
  };
}

/** Waits for an answer, at most `timeoutMs`. Returns true if it has come: no later wait ends by it. */
export function takeAnswer(kernel: FakeKernel, due: { readonly atMs: number }, timeoutMs: number): boolean {
  if (due.atMs > kernel.nowMs) kernel.waitUntil(Math.min(due.atMs, kernel.nowMs + timeoutMs));
  if (due.atMs > kernel.nowMs) return false;
  kernel.answers.delete(due);
  return true;
}

/** The clock that moves only when somebody waits. */
export function createFakeClock(kernel: FakeKernel): Clock {
  let bootedMs = Date.UTC(2026, 0);
  return {
    nowMs: () => kernel.nowMs,
    timeOfDayMs: () => bootedMs + kernel.nowMs,
    setTimeOfDay(ms) {
      bootedMs = ms - kernel.nowMs;
    },
    sleepMs: (ms) => kernel.waitUntil(kernel.nowMs + Math.max(0, ms)),
  };
}
