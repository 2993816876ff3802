import { relative } from "node:path/posix";
import type { Context } from "../drivers/context.ts";
import { makePlace } from "../filesystems/mount.ts";
import type { MountRequest } from "../machine/mounts.ts";
import type { BootPlan } from "../plan/plan.ts";
import { isErrno } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { requireOneSide } from "../storage/trust.ts";
import type { MountedLower } from "./lowers.ts";
import { LOWERS, type RootStack, type TmpfsUpper } from "./root-stack.ts";
import { orGoOn } from "./store/policy.ts";
import { openUpper, type StoreUpper } from "./store/upper.ts";

/** What overlayfs merges. */
interface Layers {
  /** The lowest first. */
  readonly lowers: readonly string[];
  /** null: the result is read-only, and overlayfs needs two lowers. */
  readonly upper: { readonly upper: string; readonly work: string } | null;
  readonly merged: string;
  /** As the user named the place of the changes; null if it is no place on a disk. */
  readonly store: string | null;
}

/** Merges the lower trees of a stack and its upper. Returns what the upper is, in words; null without one. Throws BootError. */
export function mountOverlay(
  context: Context,
  plan: BootPlan,
  { lowers, upper, merged }: RootStack,
  mounted: readonly MountedLower[],
): string | null {
  context.drivers.loadFilesystem("overlay");
  const below = { lowers: lowers.map(({ place }) => place), merged, store: null };
  if (upper?.kind === "store") return mountOverStore(context, plan, upper, { ...below, mounted });
  merge(context, { ...below, upper: upper && mountTmpfs(context, upper) });
  return upper && describeTmpfs(upper);
}

/** What lies below a store. */
type Below = Pick<Layers, "lowers" | "merged"> & { readonly mounted: readonly MountedLower[] };

/** Merges with the changes on a disk. If they cannot be used, the policy of the parameters decides whether the boot goes on without them. */
function mountOverStore(context: Context, plan: BootPlan, upper: StoreUpper, below: Below): string {
  const loss = "changes go to memory and are lost at shutdown";
  const text = orGoOn(context, upper.policy, loss, (inner) => mergeStore(inner, plan, upper, below));
  if (text !== null) return text;
  merge(context, { ...below, store: null, upper: mountTmpfs(context, upper.ram) });
  return describeTmpfs(upper.ram);
}

function mergeStore(context: Context, plan: BootPlan, upper: StoreUpper, { lowers, merged, mounted }: Below): string {
  const { machine, voice } = context;
  const open = openUpper(context, plan, upper, mounted);
  const { store } = open;
  const changes = `changes ${upper.store.path === null ? "on" : "in"} ${store.text}`;
  // The other way round is allowed: encrypted changes over a medium that anyone may read were asked for by name.
  if (mounted.some(({ isInside }) => isInside)) requireOneSide(machine, [...mounted, store], voice);
  if (!upper.readOnly) {
    merge(context, { lowers, merged, upper: open, store: store.name });
    return changes;
  }
  merge(context, { lowers: [...lowers, open.upper], merged, upper: mountTmpfs(context, upper.ram), store: store.name });
  return `${changes} (read-only) + ${describeTmpfs(upper.ram)}`;
}

function describeTmpfs({ size }: TmpfsUpper): string {
  return `tmpfs${size === null ? "" : ` ${size}`}`;
}

function merge({ machine, undo }: Context, { lowers, upper, merged, store }: Layers): void {
  makePlace(machine, merged);
  const mark = machine.kernelLogMark();
  const flags = upper === null ? (["ro"] as const) : [];
  try {
    machine.mount({ source: "overlay", target: merged, type: "overlay", flags, ...fitOptions(lowers, upper) });
  } catch (cause) {
    const kernel = machine.kernelLogSince(mark);
    throw problem("overlay-refused", { place: merged, kernel, store, why: findCause(cause) }, { cause });
  }
  undo(() => machine.unmount(merged));
}

/** mount(2) takes a page of options, with the NUL at its end, and drops the rest. */
const MOST_OPTION_BYTES = 4095;

/** Returns the options of overlayfs. Those of more than about 180 layers fit only with relative paths: up to the 500 that overlayfs takes. */
function fitOptions(lowers: Layers["lowers"], upper: Layers["upper"]): Pick<MountRequest, "options" | "directory"> {
  const top = upper === null ? [] : [`upperdir=${upper.upper}`, `workdir=${upper.work}`];
  const join = (paths: readonly string[]) => [`lowerdir=${paths.toReversed().join(":")}`, ...top].join(",");
  const options = join(lowers);
  if (Buffer.byteLength(options) <= MOST_OPTION_BYTES) return { options };
  return { options: join(lowers.map((place) => relative(LOWERS, place))), directory: LOWERS };
}

/** By fs/overlayfs/super.c and namei.c: its index or the upper's origin names another lower; a directory is that of another overlay; one of them lies in another. */
function findCause(error: unknown): "other-lowers" | "in-use" | "overlapping" | null {
  if (isErrno(error, "ESTALE")) return "other-lowers";
  if (isErrno(error, "EBUSY")) return "in-use";
  return isErrno(error, "ELOOP") ? "overlapping" : null;
}

/** Mounts a tmpfs for the changes; returns its directories. */
function mountTmpfs({ machine, undo }: Context, { place, size }: TmpfsUpper): NonNullable<Layers["upper"]> {
  const options = size === null ? "mode=0755" : `mode=0755,size=${size}`;
  machine.makeDirectory(place);
  machine.mount({ source: "tmpfs", target: place, type: "tmpfs", flags: [], options });
  undo(() => machine.unmount(place));
  for (const part of ["upper", "work"]) machine.makeDirectory(`${place}/${part}`, 0o755);
  return { upper: `${place}/upper`, work: `${place}/work` };
}
