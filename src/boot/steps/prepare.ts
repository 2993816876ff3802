import { findMount, readMounts } from "../../filesystems/mounts.ts";
import { makePlace } from "../../filesystems/places.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError } from "../../problems/errors.ts";

/** The API filesystems that stage0 has not mounted; /run is where everything of ours lives. */
const API_MOUNTS = [
  { type: "sysfs", target: "/sys", flags: ["nosuid", "noexec", "nodev"], options: "" },
  { type: "tmpfs", target: "/run", flags: ["nosuid", "nodev"], options: "mode=0755" },
] as const;

/** Mounts /sys and /run where nothing is mounted there yet, and makes the directories that the boot uses. Throws BootError. */
export function prepare(machine: Machine): void {
  const mounts = readMounts(machine);
  for (const { type, target, flags, options } of API_MOUNTS) {
    if (findMount(mounts, target) !== null) continue;
    attempt(`could not mount ${target}, which every boot needs`, () => {
      makePlace(machine, target);
      machine.mount({ source: type, target, type, flags, options });
    });
  }
  attempt("could not make a place in /run", () => machine.makeDirectory("/run/levain"));
}

function attempt(message: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    throw new BootError(message, { cause });
  }
}
