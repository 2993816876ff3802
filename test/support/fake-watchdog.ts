import type { Watchdogs } from "../../src/machine/watchdog.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { Ended } from "./fake-processes.ts";

/** A watchdog of the machine: the driver makes it when it is loaded, or it is there from the start. */
export interface FakeWatchdog {
  /** The only time that it knows; any where not given. */
  readonly seconds?: number;
  readonly staysArmed?: boolean;
  /** How it was closed. */
  closed?: "armed" | "stopped";
}

/** Watchdogs, which reset the machine by the fake clock. */
export function createFakeWatchdogs(
  kernel: FakeKernel,
  { watchdog }: { readonly watchdog?: FakeWatchdog },
  end: (how: Ended) => never,
): Watchdogs {
  return {
    openWatchdog(node, wanted) {
      if (watchdog === undefined || kernel.namespace.look(node, "open").place === null) {
        throw new SyscallError("open", "ENOENT", node);
      }
      const { seconds = wanted, staysArmed = true } = watchdog;
      let dueMs = 0;
      const feed = () => {
        dueMs = kernel.nowMs + seconds * 1000;
      };
      feed();
      kernel.onTime = (nowMs) => {
        if (nowMs > dueMs) end(new Ended(null, "reset"));
      };
      return {
        ...{ seconds, staysArmed, feed },
        close(how) {
          watchdog.closed = how;
          kernel.onTime = () => undefined;
        },
      };
    },
  };
}
