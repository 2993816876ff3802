import type { Loader } from "../drivers/make-loader.ts";
import type { Machine } from "../machine/machine.ts";
import { listOrNone, textOrNone } from "../machine/small-files.ts";
import type { Watchdog } from "../machine/watchdog.ts";
import type { BootPlan } from "../plan/plan.ts";
import { tolerateRefusal, unlessRefused } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { watchCalls } from "./watched-machine.ts";

/** As long as levain waits for a disk that does not answer. */
const LEAST_PATIENCE_MS = 180_000;
/** How often it is fed in its time. */
const FEEDS = 6;

type WatchdogWish = Pick<BootPlan, "watchdogSeconds" | "rootTimeoutMs" | "root" | "resume">;

/** Feeds the watchdog of a boot. */
export interface WatchdogKeeper {
  /** The machine, whose calls feed the watchdog while there is progress. */
  readonly machine: Machine;
  /** Opens the watchdog that rd.watchdog= asks for, and loads its driver. One that is missing is a warning. */
  arm(plan: WatchdogWish, drivers: Pick<Loader, "loadWatchdog">): void;
  /** Closes it: counting, for the real init that opens it, or stopped, for an initramfs that is the final system. */
  close(how: "armed" | "stopped"): void;
}

/** Creates a keeper that does nothing until `arm`. */
export function createWatchdogKeeper(machine: Machine, voice: Voice): WatchdogKeeper {
  let watchdog: Watchdog | null = null;
  let reopen = (): Watchdog | null => null;
  let patienceMs = LEAST_PATIENCE_MS;
  let [progressMs, fedMs] = [0, 0];

  function feed(): void {
    const nowMs = machine.nowMs();
    if (watchdog === null || nowMs - progressMs > patienceMs) return;
    if (nowMs - fedMs < (watchdog.seconds * 1000) / FEEDS) return;
    fedMs = nowMs;
    tolerateRefusal(watchdog.feed);
  }

  function advance(): void {
    if (watchdog === null) return;
    progressMs = machine.nowMs();
    feed();
  }

  function close(how: "armed" | "stopped"): void {
    const closed = watchdog;
    watchdog = null;
    if (closed !== null) tolerateRefusal(() => closed.close(how));
  }

  return {
    machine: watchCalls(machine, {
      sliceMs: () => (watchdog === null ? null : (watchdog.seconds * 1000) / FEEDS),
      feed,
      advance,
      suspend(act) {
        if (watchdog === null) return act();
        close("stopped");
        try {
          return act();
        } finally {
          watchdog = reopen();
          advance();
        }
      },
      // A reboot that hangs is ended by it.
      end: (action) => close(action === "reboot" ? "armed" : "stopped"),
    }),
    arm(plan, drivers) {
      const { watchdogSeconds, rootTimeoutMs } = plan;
      if (watchdogSeconds === null || watchdog !== null) return;
      if (findNode(machine) === null) drivers.loadWatchdog();
      if (!mayArm(machine, voice, plan)) return;
      patienceMs = Math.max(LEAST_PATIENCE_MS, rootTimeoutMs ?? 0);
      reopen = () => open(machine, voice, watchdogSeconds);
      watchdog = reopen();
      advance();
    },
    close,
  };
}

/** False, after a warning, if it cannot be stopped (nowayout of Documentation/ABI/testing/sysfs-class-watchdog) and the boot ends where nothing feeds it. */
function mayArm(machine: Machine, voice: Voice, { root, resume, watchdogSeconds }: WatchdogWish): boolean {
  const node = findNode(machine);
  const isForGood =
    node !== null && textOrNone(machine, `/sys/class/watchdog/${node.slice(5)}/nowayout`).trim() === "1";
  if (!isForGood) return true;
  const never = `rd.watchdog=: ${node} can never be stopped (nowayout)`;
  if (root.kind === "none") {
    voice.warn(`${never}, and nothing feeds it in an initramfs that is the final system: continuing without it`);
    return false;
  }
  if (!resume.isOff && resume.device !== null)
    voice.warn(`${never}: it resets a resume that takes longer than ${watchdogSeconds} s`);
  return true;
}

function open(machine: Machine, voice: Voice, seconds: number): Watchdog | null {
  const node = findNode(machine);
  if (node === null) {
    voice.warn("rd.watchdog=: this machine has no watchdog, or the image has no driver for it");
    return null;
  }
  const refused = `rd.watchdog=: ${node} cannot be used, continuing without it`;
  return unlessRefused(
    () => {
      const opened = machine.openWatchdog(node, seconds);
      if (opened.seconds !== seconds)
        voice.warn(`rd.watchdog=: ${node} waits ${opened.seconds} s instead of ${seconds} s`);
      if (!opened.staysArmed)
        voice.warn(`rd.watchdog=: ${node} stops at the handover, as its driver has no magic close`);
      return opened;
    },
    (refusal) => {
      voice.warn(`${refused}: ${describeRefusal(refusal)}`);
      return null;
    },
  );
}

/** The first one, in the kernel's order; its node has the same name. */
function findNode(machine: Machine): string | null {
  const [name] = listOrNone(machine, "/sys/class/watchdog");
  return name === undefined ? null : `/dev/${name}`;
}
