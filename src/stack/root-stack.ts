import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { OverlayPlan } from "../parameters/stack/overlay.ts";
import type { BootPlan, VolatilePlan } from "../plan/plan.ts";
import type { OpenStore } from "./store/open-store.ts";

/** The place of the complete root. It is not below /run: /run could not move into it then (ELOOP). */
export const ROOT = "/sysroot";
/** The parts of the root are mounted below this directory and stay there after the handover. */
export const PARTS = "/run/levain";
/** Where the lower trees are, if there are several. */
export const LOWERS = `${PARTS}/lower`;
/** The place of the tree that only lends its /usr to a root in memory (systemd.volatile=yes). */
const BASE = `${PARTS}/base`;

/** The places that are known before the medium is mounted and its images are counted. */
export interface StackBase {
  /** Of the root device: a medium of images, the lowest tree of the stack, or the root itself. */
  readonly source: string;
  /** An ISO file on the medium, and its place; null if the medium itself holds the images. */
  readonly iso: { readonly path: string; readonly place: string } | null;
  /** The tree in which image files are looked for. */
  readonly images: string;
}

/** An image file or directory in the tree of images. */
export interface LowerImage {
  readonly kind: "image";
  readonly path: string;
  readonly place: string;
  /** The place of its copy in memory; null if it is not copied. */
  readonly ram: string | null;
  /** Paths in it: the first that exists is an image too and is mounted instead. The outer image stays at `outer`. */
  readonly inner: { readonly paths: readonly string[]; readonly outer: string } | null;
  /** True for an image of a live medium, false for one of rd.layer=. */
  readonly isLive: boolean;
  /** True if it is the only one of a live medium. */
  readonly isOnly: boolean;
}

/** A read-only tree that is a part of the root. */
export type Lower =
  /** The root device, mounted already. */
  | { readonly kind: "source"; readonly place: string }
  | { readonly kind: "device"; readonly device: DeviceSpec; readonly place: string }
  | LowerImage;

/** A tmpfs for the changes. */
export interface TmpfsUpper {
  readonly place: string;
  /** As for tmpfs; null for the kernel's default. */
  readonly size: string | null;
}

/** The writable top of the root. */
export type Upper =
  | ({ readonly kind: "tmpfs" } & TmpfsUpper)
  /** A place on a disk, and a tmpfs if the disk is only shown, or cannot be used. The filesystem that holds the place is at `outer`. */
  | (Omit<Extract<OverlayPlan, { kind: "store" }>, "size"> & {
      readonly place: string;
      readonly outer: string;
      readonly ram: TmpfsUpper;
      /** The place, if it is open already: a persistence volume. */
      readonly opened: OpenStore | null;
    });

/** The root tree as data. Every place is decided here. */
export interface RootStack extends StackBase {
  /** The lowest first. One that is alone and has no upper is mounted at `merged`. */
  readonly lowers: readonly Lower[];
  readonly upper: Upper | null;
  /** The place of the merged tree: `ROOT`, unless the root is in memory. */
  readonly merged: string;
  /** A tmpfs at `ROOT` with the /usr of the merged tree; null if that tree is the root. */
  readonly volatile: VolatilePlan | null;
}

/** The parts of a plan that decide the stack. */
export type StackPlan = Pick<BootPlan, "image" | "layers" | "overlay" | "volatile">;

/** Decides the places of the root device and of the ISO file on it. */
export function planBase(plan: StackPlan): StackBase {
  const { image, layers } = plan;
  if (image === null) {
    const place = lowerPlace(plan, 0, 1 + layers.length);
    return { source: place, iso: null, images: place };
  }
  const source = `${PARTS}/medium`;
  const iso = image.iso === null ? null : { path: image.iso, place: `${PARTS}/iso` };
  return { source, iso, images: iso?.place ?? source };
}

/** Decides how the root is stacked. `files` are the images that were found on the medium, the lowest first. */
export function planStack(plan: StackPlan, files: readonly string[]): RootStack {
  const { image, layers, overlay, volatile } = plan;
  const live = files.map((path) => ({ kind: "image" as const, path }));
  const parts = [...(image === null ? [{ kind: "source" as const }] : live), ...layers];
  const lowers = parts.map((part, index): Lower => {
    const place = lowerPlace(plan, index, parts.length);
    if (part.kind !== "image") return { ...part, place };
    const ram = image?.copyToRam === true ? numbered(`${PARTS}/ram`, index, parts.length) : null;
    const hasInner = image !== null && image.inner.length > 0 && index === 0;
    const inner = hasInner ? { paths: image.inner, outer: `${PARTS}/outer` } : null;
    return { ...part, place, ram, inner, isLive: index < live.length, isOnly: index === 0 && live.length === 1 };
  });
  return { ...planBase(plan), lowers, upper: overlay && planUpper(overlay), merged: mergedPlace(plan), volatile };
}

function planUpper(overlay: OverlayPlan): Upper {
  const ram = { place: `${PARTS}/overlay`, size: overlay.size };
  if (overlay.kind === "tmpfs") return { kind: "tmpfs", ...ram };
  const { store, policy, reset, readOnly } = overlay;
  const places = { place: `${PARTS}/store`, outer: `${PARTS}/store-disk` };
  return { kind: "store", store, policy, reset, readOnly, ...places, ram, opened: null };
}

/** Returns the place of the tree that is merged from all layers; it is the root, unless that is in memory. */
export function mergedPlace({ volatile }: Pick<StackPlan, "volatile">): string {
  return volatile === null ? ROOT : BASE;
}

function lowerPlace(plan: StackPlan, index: number, count: number): string {
  return count > 1 || plan.overlay !== null ? numbered(LOWERS, index, count) : mergedPlace(plan);
}

function numbered(place: string, index: number, count: number): string {
  return count === 1 ? place : `${place}/${index}`;
}
