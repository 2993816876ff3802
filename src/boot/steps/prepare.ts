import { findMount, readMounts } from "../../filesystems/mounts.ts";
import { makePlace } from "../../filesystems/places.ts";
import type { Machine } from "../../machine/machine.ts";
import { problem } from "../../problems/problem.ts";

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
    attempt("place-not-mounted", target, () => {
      makePlace(machine, target);
      machine.mount({ source: type, target, type, flags, options });
    });
  }
  attempt("run-not-writable", RUN, () => machine.makeDirectory(RUN));
}

function attempt(code: "place-not-mounted" | "run-not-writable", place: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    throw problem(code, { place }, { cause });
  }
}
