import { dirname } from "node:path";
import type { Context } from "../../drivers/context.ts";
import { makePlace } from "../../filesystems/mount.ts";
import { findMountOf, readMounts } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import type { MountFlag } from "../../machine/mounts.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { orProblem, problem } from "../../problems/problem.ts";
import type { StackedRoot } from "../layers.ts";
import { openKept } from "./kept.ts";
import { isMtabStale, linkMtab } from "./mtab.ts";
import type { Submount, UnionSubmount } from "./submount.ts";
import { findCovered } from "./targets.ts";

type SubmountOf<Kind extends Submount["kind"]> = Extract<Submount, { kind: Kind }>;

/** Puts a tmpfs over one directory of the root, and what a store has kept between the two; the merged directory keeps its owner, permissions and label. Throws BootError. */
export function mountUnion(context: Context, plan: BootPlan, union: UnionSubmount, root: StackedRoot): string {
  const { path, size, place } = union;
  const { machine, drivers, undo } = context;
  const covered = findCovered(machine, path);
  const kept = openKept(context, plan, { union, covered, root });
  // A directory above the covered one may keep others out.
  machine.makeDirectory(dirname(place), 0o700);
  makePlace(machine, place);
  mountTmpfs(context, place, size, []);
  undo(() => machine.unmount(place));
  const [upper, work] = [`${place}/upper`, `${place}/work`];
  for (const directory of [upper, work]) machine.makeDirectory(directory);
  machine.copyAttributes(covered, upper);
  // The root is read-only: mount(8) could not change the file.
  if (path === "/etc" && isMtabStale(machine, covered)) linkMtab(machine, upper);
  drivers.loadFilesystem("overlay");
  const mark = machine.kernelLogMark();
  const lowers = kept?.directory == null ? covered : `${kept.directory}:${keepBase(context, union, covered)}`;
  const options = `lowerdir=${lowers},upperdir=${upper},workdir=${work}`;
  const flags = restrictionsOf(machine, covered);
  try {
    machine.mount({ source: "overlay", target: covered, type: "overlay", flags, options });
  } catch (cause) {
    throw problem("union-refused", { path, kernel: machine.kernelLogSince(mark) }, { cause });
  }
  undo(() => machine.unmount(covered));
  return `${path} on tmpfs${size === null ? "" : ` ${size}`}${kept === null ? "" : ` over ${kept.text}`}`;
}

/** Returns a place at which levain sync finds the directory of the root later, when the overlay covers it. */
function keepBase({ machine, undo }: Context, { place }: UnionSubmount, covered: string): string {
  const base = `${place}-base`;
  makePlace(machine, base);
  machine.mount({ source: covered, target: base, type: "", flags: ["bind"], options: "" });
  undo(() => machine.unmount(base));
  const flags = ["remount", "bind", "ro", ...restrictionsOf(machine, covered)] as const;
  machine.mount({ source: "none", target: base, type: "", flags, options: "" });
  return base;
}

/** Mounts an empty tmpfs over a directory of the root, or sets the size of /run. Throws BootError. */
export function mountEmpty(context: Context, { path, size, place }: SubmountOf<"tmpfs">): string {
  const { machine, undo } = context;
  const text = `${path} tmpfs${size === null ? "" : ` ${size}`}`;
  if (path === "/run") {
    mountTmpfs(context, path, size, ["remount", "nosuid", "nodev"]);
    return text;
  }
  const covered = findCovered(machine, path);
  const isShared = ((machine.stat(covered)?.mode ?? 0) & OTHERS_WRITE) !== 0;
  makePlace(machine, place);
  mountTmpfs(context, place, size, isShared ? ["nosuid", "nodev"] : restrictionsOf(machine, covered));
  undo(() => machine.unmount(place));
  machine.copyAttributes(covered, place);
  machine.moveMount(place, covered);
  undo(() => machine.unmount(covered));
  return text;
}

/** S_IWOTH of linux/stat.h. */
const OTHERS_WRITE = 0o002;

function mountTmpfs({ machine }: Context, target: string, size: string | null, flags: readonly MountFlag[]): void {
  const options = size === null ? "mode=0755" : `mode=0755,size=${size}`;
  orProblem("tmpfs-refused", { target }, () =>
    machine.mount({ source: "tmpfs", target, type: "tmpfs", flags, options }),
  );
}

/** The flags of the mount that a directory lies on, which fstab may have set for a reason. */
function restrictionsOf(machine: Machine, directory: string): readonly MountFlag[] {
  const options = findMountOf(readMounts(machine), directory)?.options.split(",") ?? [];
  return (["nosuid", "nodev", "noexec"] as const).filter((flag) => options.includes(flag));
}
