import type { DeviceSpec } from "./device-spec.ts";

/** A layer above the image or the root device (rd.layer=): an image file beside the others, or a device of its own. */
export type LayerPlan =
  | { readonly kind: "image"; readonly path: string }
  | { readonly kind: "device"; readonly device: DeviceSpec };

/** The writable layer over a read-only root. */
export interface OverlayPlan {
  readonly kind: "tmpfs";
  /** tmpfs size= as given ("100M", "50%"); null for the kernel's default. */
  readonly size: string | null;
}
