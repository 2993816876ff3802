import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { makePlace } from "../../filesystems/mount.ts";
import { findDirectoryIn, findFileIn, makeDirectoryIn, resolveIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import { formatStore, type StorePlan } from "../../parameters/stack/overlay.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { cryptForStore } from "../../plan/stack/overlay.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal, printable } from "../../problems/report.ts";
import { describeAttached } from "../../storage/attach.ts";
import { guardMount } from "../../storage/resume/guard.ts";
import { specText } from "../../storage/search-words.ts";
import { liesInVolume } from "../../storage/trust.ts";
import { attachPart, openImage, unlockImage } from "../mount-image.ts";
import { findUpperBeside, type UpperNames } from "./layout.ts";
import { mountStore, requireSpace, requireSuited, type StoreAccess } from "./mount-store.ts";

/** Where a store is opened, and for what. */
export interface StoreOrder {
  readonly store: StorePlan;
  /** The place of the store itself. */
  readonly place: string;
  /** The place of the filesystem that holds it, if it is a directory or an image file. */
  readonly outer: string;
  readonly access: StoreAccess;
  /** True if the caller removes something first, and then asks for space itself. */
  readonly mayBeFull?: boolean;
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
  const text = `${store.path === null ? "" : `${printable(store.path)} on `}${describeAttached(attached)}`;
  const target = store.path === null ? place : outer;
  if (access === "writable") guardMount(context, plan, attached);
  const mount = { store: name, device, target, access, options: store.options };
  const type = mountStore(context, plan, mount);
  const found = { directory: place, name, text, node: device.node, type, isInside, names: null };
  if (store.path === null) {
    return requireUpper(context.machine, order, found, mount.device);
  }
  const file = findFileIn(context.machine, outer, store.path);
  if (file !== null) return openStoreImage(context, { ...plan, crypt }, { ...order, file }, found);
  // Before a directory is created.
  if (access === "writable") requireSuited(context.machine, mount, type);
  const directory = findStoreDirectory(context.machine, order, found);
  const beside = findUpperBeside(context.machine, directory);
  const source = beside === null ? directory : beside.parent;
  makePlace(context.machine, place);
  context.machine.mount({ source, target: place, type: "", flags: ["bind"], options: "" });
  context.undo(() => context.machine.unmount(place));
  return requireUpper(context.machine, order, { ...found, names: beside?.names ?? null }, device);
}

/** Returns an open store, after it has made sure that overlayfs can keep changes in it if it is writable. */
function requireUpper(
  machine: Machine,
  { access, mayBeFull = false }: StoreOrder,
  store: OpenStore,
  device: Pick<BlockDevice, "node" | "facts" | "unreadable">,
): OpenStore {
  if (access === "writable") requireSuited(machine, { store: store.name, device }, store.type);
  if (access === "writable" && !mayBeFull) requireSpace(machine, store.name, store.node, store.directory);
  return store;
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
  if (access !== "writable") throw problem("store-path", { ...facts, why: "it does not exist", isMissing: true });
  return unlessRefused(
    () => makeDirectoryIn(machine, outer, path),
    (refusal) => {
      throw problem("store-path", { ...facts, why: describeRefusal(refusal) });
    },
  );
}

/** Mounts an image file that is the store; one that is a LUKS container is unlocked first. */
function openStoreImage(
  context: Context,
  plan: BootPlan,
  order: StoreOrder & { readonly file: string },
  outer: OpenStore,
): OpenStore {
  const { store, place: target, access, file } = order;
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
  const found = { ...outer, type: mounted, node: device.node, isInside: outer.isInside || isLuks };
  return requireUpper(machine, order, found, device);
}
