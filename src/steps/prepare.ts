import type { Machine } from "../machine/machine.ts";
import { findMount, readMounts } from "./mounts.ts";

/** The API filesystems that stage0 has not mounted; /run is where everything of ours lives. */
const API_MOUNTS = [
  { type: "sysfs", target: "/sys", flags: ["nosuid", "noexec", "nodev"], options: "" },
  { type: "tmpfs", target: "/run", flags: ["nosuid", "nodev"], options: "mode=0755" },
] as const;

/** Mounts /sys and /run where nothing is mounted there yet, and makes the directories that the boot uses. */
export function prepare(machine: Machine): void {
  const mounts = readMounts(machine);
  for (const { type, target, flags, options } of API_MOUNTS) {
    if (findMount(mounts, target) !== null) continue;
    machine.makeDirectory(target);
    machine.mount({ source: type, target, type, flags, options });
  }
  machine.makeDirectory("/run/levain");
}
