import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { makePlace } from "../../filesystems/mount.ts";
import { findDirectoryIn, findFileIn, resolveIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import { formatStore, type StorePlan } from "../../parameters/stack/overlay.ts";
import { cryptForStore } from "../../plan/overlay.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { SyscallError, unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal, printable } from "../../problems/report.ts";
import { describeAttached } from "../../storage/attach.ts";
import { specText } from "../../storage/search-words.ts";
import { liesInVolume } from "../../storage/trust.ts";
import { attachPart, openImage, unlockImage } from "../mount-image.ts";
import { findUpperBeside, type UpperNames } from "./layout.ts";
import { mountStore, requireUpper, type StoreAccess } from "./mount-store.ts";

/** Where a store is opened, and for what. */
export interface StoreOrder {
  readonly store: StorePlan;
  /** The place of the store itself. */
  readonly place: string;
  /** The place of the filesystem that holds it, if it is a directory or an image file. */
  readonly outer: string;
  readonly access: StoreAccess;
}

/** A writable place on a disk that is open: what it holds is at `directory`. */
export interface OpenStore {
  readonly directory: string;
  /** As the user named it, safe to print. */
  readonly name: string;
  /** For a person, safe to print. */
  readonly text: string;
  /** The device of its filesystem. */
  readonly node: string;
  readonly type: string;
  /** True if it lies in an encrypted volume. */
  readonly isInside: boolean;
  /** The directories of overlayfs in it, if the named directory is that of another tool; null: as its content says. */
  readonly names: UpperNames | null;
}

/**
 * Opens a store: waits for its device as for the root, unlocks it by the parameters that name its volume, checks and mounts its
 * filesystem, and makes sure that overlayfs can keep changes there. Throws BootError. What it mounts is undone with the step.
 */
export function openStore(context: Context, plan: BootPlan, order: StoreOrder): OpenStore {
  const { store, place, outer, access } = order;
  const name = printable(formatStore(store));
  const crypt = cryptForStore(plan, store.device);
  const attached = attachPart(context, { ...plan, crypt }, store.device, {
    wanted: "store",
    name: specText(store.device),
  });
  const { device } = attached;
  const isInside = liesInVolume(context.machine)(device);
  const text = `${describeAttached(attached)}${store.path === null ? "" : printable(store.path)}`;
  const target = store.path === null ? place : outer;
  const mount = { store: name, device, target, access, options: store.options };
  const type = mountStore(context, plan, mount);
  const found = { directory: place, name, text, node: device.node, type, isInside, names: null };
  if (store.path === null) {
    if (access === "writable") requireUpper(context.machine, mount, type);
    return found;
  }
  const file = findFileIn(context.machine, outer, store.path);
  if (file !== null) return openStoreImage(context, { ...plan, crypt }, { ...order, file }, found);
  const directory = findStoreDirectory(context.machine, order, found);
  if (access === "writable") requireUpper(context.machine, mount, type);
  const beside = findUpperBeside(context.machine, directory);
  const source = beside === null ? directory : beside.parent;
  makePlace(context.machine, place);
  context.machine.mount({ source, target: place, type: "", flags: ["bind"], options: "" });
  context.undo(() => context.machine.unmount(place));
  return { ...found, names: beside?.names ?? null };
}

/** Returns the path of the store's directory, without symbolic links; a missing one is created if the store is writable. */
function findStoreDirectory(machine: Machine, { store, outer, access }: StoreOrder, found: OpenStore): string {
  const path = store.path ?? "";
  const known = findDirectoryIn(machine, outer, path);
  if (known !== null) return known;
  const facts = { store: found.name, node: found.node, path };
  if (resolveIn(machine, outer, path) !== null) {
    throw problem("store-path", { ...facts, why: "it is neither a directory nor a file" });
  }
  if (access !== "writable") throw problem("store-path", { ...facts, why: "it does not exist" });
  return unlessRefused(
    () => createDirectoryIn(machine, outer, path),
    (refusal) => {
      throw problem("store-path", { ...facts, why: describeRefusal(refusal) });
    },
  );
}

/** Creates a directory and its parents below `root`; what a symbolic link points to is resolved as inside `root`. A name that is taken is EEXIST. */
function createDirectoryIn(machine: Machine, root: string, path: string): string {
  const known = findDirectoryIn(machine, root, path);
  if (known !== null) return known === `${root}/` ? root : known;
  const slash = path.lastIndexOf("/");
  const made = `${createDirectoryIn(machine, root, path.slice(0, slash) || "/")}${path.slice(slash)}`;
  // mkdir(2) would do nothing for a symbolic link, which may lead out of the filesystem.
  if (machine.lstat(made) !== null) throw new SyscallError("mkdir", "EEXIST", made);
  machine.makeDirectory(made);
  return made;
}

/** Mounts an image file that is the store; one that is a LUKS container is unlocked first. */
function openStoreImage(
  context: Context,
  plan: BootPlan,
  { store, place: target, access, file }: StoreOrder & { readonly file: string },
  outer: OpenStore,
): OpenStore {
  const { machine, drivers, undo } = context;
  const path = store.path ?? "";
  const loop = openImage(machine, { file, path, readOnly: access === "untouched" }, drivers);
  undo(() => machine.detachLoop(loop.node));
  const isLuks = loop.facts.type === "crypto_LUKS";
  const device: Pick<BlockDevice, "node" | "facts" | "unreadable"> = isLuks
    ? unlockImage(context, plan, path, loop)
    : loop;
  const { type } = device.facts;
  // dracut's persistent overlay in a file: empty before its first use.
  if (type === null || type === "DM_snapshot_cow") {
    throw problem("store-snapshot", { store: outer.name, node: outer.node, path });
  }
  const mount = { store: outer.name, device, target, access, options: "" };
  const mounted = mountStore(context, plan, mount);
  if (access === "writable") requireUpper(machine, mount, mounted);
  return { ...outer, type: mounted, node: device.node, isInside: outer.isInside || isLuks };
}
