import type { Undo } from "../../drivers/context.ts";
import { findMount, readMounts } from "../../filesystems/mounts.ts";
import { PLACES } from "../../filesystems/places.ts";
import type { Handover, Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError, isErrno } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import type { Voice } from "../../problems/voice.ts";

/** What moves along into the new root, /proc last: the others are looked up in it. So it is the first to come back. */
const API_MOUNTS = ["/dev", "/sys", "/run", "/proc"] as const;

/** Decides how this system is left, and checks all that can be checked before anything is given up. */
export function planHandover(machine: Machine, plan: BootPlan, init: string, voice: Voice): Handover {
  const rest = {
    init,
    argv: [init, ...plan.handover.arguments],
    environment: plan.handover.environment,
  };
  if (plan.root.kind === "none") return { ...rest, mode: "stay", root: "/", putOld: null };
  const mounts = readMounts(machine);
  if (findMount(mounts, PLACES.root) === null) throw problem("root-not-mounted", { place: PLACES.root });
  const mode = chooseMode(plan, findMount(mounts, "/")?.type === "rootfs", voice);
  const putOld = mode === "pivot_root" ? plan.handover.putOld : null;
  if (putOld !== null) makeTarget(machine, putOld, "rd.putold=");
  return { ...rest, mode, root: PLACES.root, putOld };
}

function chooseMode(plan: BootPlan, isRootfs: boolean, voice: Voice): "switch_root" | "pivot_root" {
  const { mode, putOld } = plan.handover;
  if (!isRootfs) return mode === "switch_root" ? "switch_root" : "pivot_root";
  if (mode === "pivot_root" || putOld !== null) {
    voice.warn("the kernel does not let pivot_root leave an initramfs: using switch_root, the old root is not kept");
  }
  return "switch_root";
}

/** Moves the API filesystems into the new root; `undo` moves them back, for the rescue shell needs them here. What the new root has no place for goes last: it cannot come back. */
export function moveApiMounts(
  machine: Machine,
  root: string,
  { voice, undo }: { readonly voice: Voice; readonly undo: Undo },
): void {
  const mounts = readMounts(machine);
  const present = API_MOUNTS.filter((source) => findMount(mounts, source) !== null);
  const homeless = present.filter((source) => !hasTarget(machine, source));
  for (const source of present) {
    if (homeless.includes(source)) continue;
    machine.moveMount(source, `${root}${source}`);
    undo(() => machine.moveMount(`${root}${source}`, source));
  }
  for (const source of homeless) {
    voice.warn(`the new root has no directory ${source}, and none can be made: it starts without`);
    leave(machine, source);
  }
}

/** stage0 empties the initramfs and does not cross mounts, so one that stays costs little. */
function leave(machine: Machine, source: string): void {
  try {
    machine.unmount(source, true);
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
}

function hasTarget(machine: Machine, directory: string): boolean {
  try {
    makeTarget(machine, directory, "a new root");
    return true;
  } catch (error) {
    if (error instanceof BootError || isErrno(error)) return false;
    throw error;
  }
}

/** A symbolic link is no target, nor is one on the way to it: it would be followed here, outside the new root. */
function makeTarget(machine: Machine, directory: string, why: string): void {
  const path = `${PLACES.root}${directory}`;
  const names = directory.split("/").slice(1);
  const way = names.map((_, index) => `${PLACES.root}/${names.slice(0, index + 1).join("/")}`);
  const isLinked = way.some((part) => machine.lstat(part)?.kind === "symlink");
  let cause: unknown;
  try {
    if (!isLinked && machine.lstat(path) === null) machine.makeDirectory(path);
  } catch (error) {
    if (!isErrno(error)) throw error;
    cause = error;
  }
  if (!isLinked && machine.lstat(path)?.kind === "directory") return;
  throw problem("root-lacks-directory", { directory, user: why }, { cause });
}
