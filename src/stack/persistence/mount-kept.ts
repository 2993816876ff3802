import type { Context } from "../../drivers/context.ts";
import { findDirectoryIn, makeDirectoryIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import type { PersistencePlan } from "../../plan/plan.ts";
import { tolerateRefusal } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { PARTS, ROOT } from "../root-stack.ts";
import { SPECIAL } from "../store/layout.ts";
import { orGoOn } from "../store/policy.ts";
import { settleBranch } from "../sync/settle.ts";
import { copyTree } from "./copy-tree.ts";
import type { KeptMount } from "./kept-mounts.ts";
import { linkFiles } from "./link-files.ts";
import type { Persistence } from "./open-volumes.ts";

interface KeptOrder {
  readonly mount: KeptMount;
  /** Its number, for places of its own. */
  readonly index: number;
  /** The top of its volume. */
  readonly volume: string;
  /** Of the root, resolved. */
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** Mounts what persistence volumes keep below the root; returns it in words. What cannot be mounted is skipped with a warning, unless it is required. Throws BootError. */
export function mountKept(
  context: Context,
  { volumes, mounts }: Persistence,
  { readOnly, policy }: Pick<PersistencePlan, "readOnly" | "policy">,
): readonly string[] {
  if (!readOnly) for (const { store } of volumes) removeUnfinished(context.machine, store.directory);
  return mounts.flatMap((mount, index) => {
    const volume = volumes[mount.volume];
    if (mount.path === "/" || volume === undefined) return [];
    const loss = `changes in ${printable(mount.path)} are lost at shutdown`;
    const text = orGoOn(context, policy, loss, (inner) => {
      const target = findTarget(inner, mount.path);
      keep(inner, { mount, index, volume: volume.store.directory, target, isReadOnly: readOnly });
      return `${printable(mount.path)} on ${volume.text}`;
    });
    return text ?? [];
  });
}

/** At the top of a volume, or of the subvolume that the copy is for: a copy that is not complete. */
const unfinishedCopy = (top: string) => `${top}/.levain-new`;

/** Removes what a power cut has left of a copy. The next boot may not copy the directory again: persistence.conf can change. */
function removeUnfinished(machine: Machine, volume: string): void {
  const copy = unfinishedCopy(volume);
  if (machine.lstat(copy) !== null) tolerateRefusal(() => machine.removeTree(copy));
}

/** Returns the directory of the root at `path`, which is created if it is missing. Throws BootError if it lies on another filesystem of the kernel. */
function findTarget({ machine }: Context, path: string): string {
  const target = makeDirectoryIn(machine, ROOT, path);
  if (/^\/(?:dev|proc|run|sys)(?:\/|$)/.test(target.slice(ROOT.length))) throw problem("kept-outside", { path });
  return target;
}

function keep(context: Context, order: KeptOrder): void {
  const { machine } = context;
  const { mount, volume, target, isReadOnly } = order;
  const { method, source } = mount;
  const known = source === "" ? volume : findDirectoryIn(machine, volume, source);
  if (known === null && isReadOnly) throw problem("kept-missing", { path: mount.path, source });
  if (method === "link") linkFiles(context, known ?? makeLike(context, order), target);
  else if (method === "union") mountUnion(context, order, known ?? makeLike(context, order));
  else if (isReadOnly) overlay(context, order, { lowers: [known ?? ""], upper: null });
  else bind(context, known ?? bootstrap(context, order), target);
}

function bind({ machine, undo }: Context, directory: string, target: string): void {
  machine.mount({ source: directory, target, type: "", flags: ["bind"], options: "" });
  undo(() => machine.unmount(target));
}

/** Creates the source on the volume, with the owner and permissions that the directory has in the root. */
function makeLike({ machine }: Context, { mount, volume, target }: KeptOrder): string {
  const directory = makeDirectoryIn(machine, volume, mount.source);
  machine.copyAttributes(target, directory);
  return directory;
}

/** Copies the directory of the root to the volume. It appears there under its name only when it is complete. */
function bootstrap({ machine, voice }: Context, { mount, volume, target }: KeptOrder): string {
  const { source, path } = mount;
  const parent = makeDirectoryIn(machine, volume, source.slice(0, source.lastIndexOf("/")));
  const directory = `${parent}/${source.slice(source.lastIndexOf("/") + 1)}`;
  // A subvolume is a filesystem of its own to rename(2).
  const isInSubvolume = machine.lstat(parent)?.device !== machine.lstat(volume)?.device;
  const fresh = unfinishedCopy(isInSubvolume ? parent : volume);
  voice.progress(`copying ${printable(path)} to its persistence volume`);
  removeUnfinished(machine, isInSubvolume ? parent : volume);
  try {
    copyTree({ machine, voice }, target, fresh);
    machine.syncFilesystem(parent);
  } catch (error) {
    // Half of a copy would fill the volume until the next boot.
    tolerateRefusal(() => machine.removeTree(fresh));
    throw error;
  }
  machine.rename(fresh, directory);
  machine.syncFilesystem(parent);
  return directory;
}

/** live-boot's names of the two directories. */
const [UPPER, WORK] = ["rw", "work"];

function mountUnion(context: Context, order: KeptOrder, directory: string): void {
  const { machine, voice } = context;
  const { target, isReadOnly } = order;
  const [upper, work] = [`${directory}/${UPPER}`, `${directory}/${WORK}`];
  if (isReadOnly) {
    const isThere = machine.lstat(upper)?.kind === "directory";
    overlay(context, order, { lowers: isThere ? [target, upper] : [target], upper: null });
    return;
  }
  settleBranch(machine, upper, voice);
  if (machine.lstat(upper) === null) {
    machine.makeDirectory(upper);
    machine.copyAttributes(target, upper);
  }
  if (machine.lstat(work) === null) machine.makeDirectory(work);
  overlay(context, order, { lowers: [target], upper: { upper, work } });
}

interface Branches {
  /** The lowest first. */
  readonly lowers: readonly string[];
  /** null: a tmpfs. */
  readonly upper: { readonly upper: string; readonly work: string } | null;
}

function overlay(context: Context, { target, index, mount }: KeptOrder, { lowers, upper }: Branches): void {
  const { machine, undo } = context;
  const special = [...lowers, upper?.upper ?? ""].find((directory) => SPECIAL.test(directory));
  if (special !== undefined) throw problem("kept-path", { path: mount.path, directory: special });
  const top = upper ?? mountTmpfs(context, `${PARTS}/kept/${index}`, target);
  const options = `lowerdir=${lowers.toReversed().join(":")},upperdir=${top.upper},workdir=${top.work}`;
  const mark = machine.kernelLogMark();
  try {
    machine.mount({ source: "overlay", target, type: "overlay", flags: [], options });
  } catch (cause) {
    throw problem("kept-refused", { path: mount.path, kernel: machine.kernelLogSince(mark) }, { cause });
  }
  undo(() => machine.unmount(target));
}

function mountTmpfs({ machine, undo }: Context, place: string, like: string): NonNullable<Branches["upper"]> {
  machine.makeDirectory(place);
  machine.mount({ source: "tmpfs", target: place, type: "tmpfs", flags: [], options: "mode=0755" });
  undo(() => machine.unmount(place));
  const [upper, work] = [`${place}/upper`, `${place}/work`];
  for (const path of [upper, work]) machine.makeDirectory(path);
  machine.copyAttributes(like, upper);
  return { upper, work };
}
