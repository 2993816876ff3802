import type { Settings } from "../../parameters/parameters.ts";

/** How the real init is started. */
export interface HandoverPlan {
  /** auto: switch_root from rootfs, pivot_root from a real mount. */
  readonly mode: "auto" | "switch_root" | "pivot_root" | "stay";
  readonly putOld: string | null;
  /** rd.exitrd: whether a program stays that takes the root apart at power-off; auto: if that takes more than an unmount. */
  readonly exitProgram: "auto" | "yes" | "no";
  /** rd.command: whether levain stays at /run/levain/bin/levain. */
  readonly keepCommand: boolean;
  /** rd.drivers=: which drivers are loaded before it; auto: all if the root has no udev. */
  readonly drivers: "auto" | "root" | "all";
  /** null: the kernel's list. */
  readonly init: string | null;
  /** argv from argv[1] on. */
  readonly arguments: readonly string[];
  /** The whole environment, "NAME=value" each: HOME=/, TERM=linux and the unknown name=value parameters of the command line. */
  readonly environment: readonly string[];
}

/** Decides it; `isFinal`: the initramfs itself is the system. */
export function decideHandover(
  settings: Settings,
  isFinal: boolean,
  passedOn: Pick<HandoverPlan, "arguments" | "environment">,
): HandoverPlan {
  return {
    mode: isFinal ? "stay" : (settings.handover ?? "auto"),
    putOld: settings.putOld ?? null,
    exitProgram: decideExitProgram(settings),
    keepCommand: settings.keepCommand === true,
    drivers: settings.drivers ?? "auto",
    init: settings.init ?? null,
    ...passedOn,
  };
}

function decideExitProgram({ exitProgram }: Settings): HandoverPlan["exitProgram"] {
  if (exitProgram === undefined) return "auto";
  return exitProgram ? "yes" : "no";
}
