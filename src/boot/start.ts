import packageJson from "../../package.json" with { type: "json" };
import { unlockBusybox } from "../filesystems/busybox.ts";
import type { Machine } from "../machine/machine.ts";
import { parseInherited } from "../parameters/inherited.ts";
import { runBoot } from "./session.ts";

/** Boots, and ends this process with the handover to stage0. */
export function startBoot(machine: Machine): never {
  unlockBusybox(machine);
  // stage0's, not our own: stage0 has changed the environment that we got.
  const inherited = parseInherited(machine.readFile("/proc/1/cmdline"), machine.readFile("/proc/1/environ"));
  return machine.handOver(runBoot(machine, packageJson.version, inherited));
}
