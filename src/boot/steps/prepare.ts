import { makePlace } from "../../filesystems/mount.ts";
import { findMount, readMounts } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import { orProblem } from "../../problems/problem.ts";

/** The API filesystems that stage0 has not mounted. levain keeps everything of its own below /run. */
const API_MOUNTS = [
  { type: "sysfs", target: "/sys", flags: ["nosuid", "noexec", "nodev"], options: "" },
  { type: "tmpfs", target: "/run", flags: ["nosuid", "nodev"], options: "mode=0755" },
] as const;

const RUN = "/run/levain";

/** Mounts /sys and /run, unless something is mounted there already, and creates the directory of the boot. Throws BootError. */
export function prepare(machine: Machine): void {
  const mounts = readMounts(machine);
  for (const { type, target, flags, options } of API_MOUNTS) {
    if (findMount(mounts, target) !== null) continue;
    orProblem("place-not-mounted", { place: target }, () => {
      makePlace(machine, target);
      machine.mount({ source: type, target, type, flags, options });
    });
  }
  orProblem("run-not-writable", { place: RUN }, () => machine.makeDirectory(RUN));
}
