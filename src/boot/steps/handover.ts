import type { Context } from "../../drivers/context.ts";
import { findMount, readMounts } from "../../filesystems/mounts.ts";
import { resolveIn } from "../../filesystems/resolve.ts";
import type { Handover } from "../../machine/handover.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError, isErrno, orIfFailed, orIfRefused, tolerateRefusal } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { printable, sentence } from "../../problems/report.ts";
import { formatMib } from "../../problems/size.ts";
import type { Voice } from "../../problems/voice.ts";
import { removeKeys } from "../../rescue/seal.ts";

/** The mounts that move into the new root. /proc is last, and the first to come back: the others are looked up in its mount table. */
const API_MOUNTS = ["/dev", "/sys", "/run", "/proc"] as const;

/** Decides how the boot leaves the initramfs for the root at `root`, mounts the initramfs at rd.putold=, and checks everything that can be checked before anything is given up. Throws BootError. */
export function planHandover(
  context: Context,
  plan: BootPlan,
  { root, init }: Pick<Handover, "root" | "init">,
): Handover {
  const { arguments: words, environment } = plan.handover;
  const { machine, voice } = context;
  const isSystemd = plan.root.kind !== "none" && leadsToSystemd(machine, root, init);
  const rest = { root, init, isSystemd, argv: [init, ...words], environment };
  if (plan.root.kind === "none") return { ...rest, mode: "stay", putOld: null };
  const mounts = readMounts(machine);
  if (findMount(mounts, root) === null) throw problem("root-not-mounted", { place: root });
  const isRootfs = findMount(mounts, "/")?.type === "rootfs";
  const mode = chooseMode(plan, isRootfs, voice);
  const { putOld } = plan.handover;
  if (putOld === null) return { ...rest, mode, putOld };
  // A classic initrd that cannot be put there stops the boot; one that holds key files is not kept.
  if (mode === "pivot_root") makeTarget(machine, root, putOld, "rd.putold=");
  const isKept =
    mode === "pivot_root"
      ? isKeepable(voice, () => removeKeys(machine, plan, voice, "old root"))
      : keepOldRoot(context, plan, { root, putOld, isRootfs });
  return { ...rest, mode, putOld: isKept ? putOld : null };
}

/** True for systemd itself: a script or program that starts it later would not pass the descriptor on. */
function leadsToSystemd(machine: Machine, root: string, init: string): boolean {
  return resolveIn(machine, root, init)?.endsWith("/lib/systemd/systemd") === true;
}

function chooseMode(plan: BootPlan, isRootfs: boolean, voice: Voice): "switch_root" | "pivot_root" {
  const { mode, putOld } = plan.handover;
  if (!isRootfs) return mode === "switch_root" ? "switch_root" : "pivot_root";
  if (mode === "pivot_root" && putOld === null) {
    voice.warn("the kernel does not let pivot_root leave an initramfs: using switch_root");
  }
  return "switch_root";
}

/** Returns false, after a warning, if what keeps the old root is not possible: no boot depends on it. */
function isKeepable(voice: Voice, keep: () => void): boolean {
  try {
    keep();
    return true;
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    voice.warn(`${sentence(error)}: the old root is not kept`);
    return false;
  }
}

/** Mounts the old root at `putOld` of the new one too, where pivot_root would put it. Returns false, after a warning, if that is not possible. */
function keepOldRoot(
  { machine, voice, undo }: Context,
  plan: BootPlan,
  { root, putOld, isRootfs }: { readonly root: string; readonly putOld: string; readonly isRootfs: boolean },
): boolean {
  const target = `${root}${putOld}`;
  const isKept = isKeepable(voice, () => {
    makeTarget(machine, root, putOld, "rd.putold=");
    removeKeys(machine, plan, voice, "old root");
    machine.mount({ source: "/", target, type: "", flags: ["bind"], options: "" });
  });
  if (!isKept) return false;
  undo(() => machine.unmount(target));
  if (isRootfs) {
    const cost = formatMib(sizeInMemory(machine, "/"));
    voice.progress(
      `the initramfs stays at ${printable(putOld)}: it uses ${cost} of memory until its files are removed`,
    );
  }
  return true;
}

/** Returns the bytes of all files in the filesystem at `directory`, as far as it can be read; a hard link counts as much as its file. */
function sizeInMemory(machine: Machine, directory: string, above: string | null = null): number {
  const device = above ?? orIfRefused(() => machine.stat(directory), null)?.device;
  const names = orIfRefused(() => machine.listDirectory(directory), []);
  const sizes = names.map((name) => {
    const path = `${directory === "/" ? "" : directory}/${name}`;
    const status = orIfRefused(() => machine.lstat(path), null);
    if (status === null || status.device !== device) return 0;
    return status.kind === "directory" ? sizeInMemory(machine, path, device) : status.size;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Moves the API filesystems into the new root; `undo` moves them back, because the rescue shell needs them here. Those that the new root has no directory for are unmounted last: they cannot come back. */
export function moveApiMounts({ machine, voice, undo }: Context, root: string): void {
  const mounts = readMounts(machine);
  const present = API_MOUNTS.filter((source) => findMount(mounts, source) !== null);
  const homeless = present.filter((source) => !hasTarget(machine, root, source));
  for (const source of present) {
    if (homeless.includes(source)) continue;
    machine.moveMount(source, `${root}${source}`);
    undo(() => machine.moveMount(`${root}${source}`, source));
  }
  for (const source of homeless) {
    const lack = `the new root has no directory ${source}, and it cannot be created`;
    voice.warn(`${lack}: the system starts without ${source}`);
    // stage0 does not cross mounts when it empties the initramfs, so one that stays costs little.
    tolerateRefusal(() => machine.unmount(source, true));
  }
}

function hasTarget(machine: Machine, root: string, directory: string): boolean {
  return orIfFailed(() => {
    makeTarget(machine, root, directory, "a new root");
    return true;
  }, false);
}

/** Creates the directory for a mount in the new root. No part of its path may be a symbolic link: the kernel would follow it here, outside the new root. */
function makeTarget(machine: Machine, root: string, directory: string, user: string): void {
  const path = `${root}${directory}`;
  const names = directory.split("/").slice(1);
  const way = names.map((_, index) => `${root}/${names.slice(0, index + 1).join("/")}`);
  const isLinked = way.some((part) => machine.lstat(part)?.kind === "symlink");
  let cause: unknown;
  try {
    if (!isLinked && machine.lstat(path) === null) machine.makeDirectory(path);
  } catch (error) {
    if (!isErrno(error)) throw error;
    cause = error;
  }
  if (!isLinked && machine.lstat(path)?.kind === "directory") return;
  throw problem("root-lacks-directory", { directory, user }, { cause });
}
