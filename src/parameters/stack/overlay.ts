import { type DeviceSpec, formatDeviceSpec } from "../device-spec.ts";
import { parser } from "../parse.ts";
import { readFlag, SIZE } from "../values.ts";
import { parseStoreSpec, STORE_FORM, type StoreSpec } from "./store-spec.ts";

/** A writable place on a disk: the top of a filesystem, a directory of it, or an image file on it. */
export interface StorePlan {
  readonly device: DeviceSpec;
  /** null: the top of the filesystem. */
  readonly path: string | null;
  /** dracut's "auto": `path` is the directory of one whose name the medium decides, overlay-LABEL-UUID. */
  readonly isNamedByMedium: boolean;
  /** Options of its mount, comma-separated. */
  readonly options: string;
}

/** Formats a store as rd.overlay= has it. */
export function formatStore({ device, path, isNamedByMedium }: StorePlan): string {
  const text = isNamedByMedium ? ":auto" : `${path === null ? "" : `:${path}`}`;
  return `${formatDeviceSpec(device)}${text}`;
}

/** What happens if the changes cannot go to the place that was named. */
export const STORE_POLICIES = ["required", "fallback", "ask"] as const;
export type StorePolicy = (typeof STORE_POLICIES)[number];

/** The writable layer over a read-only root. */
export type OverlayPlan =
  | {
      readonly kind: "tmpfs";
      /** tmpfs size= as given ("100M", "50%"); null for the kernel's default. */
      readonly size: string | null;
    }
  | {
      readonly kind: "store";
      readonly store: StorePlan;
      readonly policy: StorePolicy;
      /** What the store holds is removed first. */
      readonly reset: boolean;
      /** What the store holds is shown, and changes go to a tmpfs. */
      readonly readOnly: boolean;
      /** Of the tmpfs, where there is one. */
      readonly size: string | null;
    };

/** The value of rd.overlay=; false for no overlay. */
export type OverlaySetting =
  | { readonly kind: "tmpfs"; readonly size: string | null }
  | ({ readonly kind: "store" } & StoreSpec)
  | false;

/** A tmpfs with its own size or null, a place on a disk, or false for no overlay. */
export const overlay = parser(`tmpfs, tmpfs:size=SIZE, ${STORE_FORM}, yes or no`, (text): OverlaySetting | null => {
  const asked = readFlag(text);
  if (asked !== null) return asked && { kind: "tmpfs", size: null };
  const [form, ownSize = null] = /^tmpfs(?::size=(.*))?$/.exec(text) ?? [];
  if (form !== undefined) return ownSize !== null && !SIZE.test(ownSize) ? null : { kind: "tmpfs", size: ownSize };
  // "64" is a size that lacks its name, not the device 0:64.
  const spec = /^\d+$/.test(text) ? null : parseStoreSpec(text);
  return spec && { kind: "store", ...spec };
});
