import { type DeviceSpec, parseDeviceSpec } from "../device-spec.ts";
import { normalisePath } from "../parse.ts";

/** A place on a disk, as a parameter names it: DEVICE[:PATH]. */
export interface StoreSpec {
  readonly device: DeviceSpec;
  /** A directory or an image file of the filesystem; "auto" is dracut's word for its own name of it; null: the top of the filesystem. */
  readonly path: string | "auto" | null;
}

/** The forms that `parseStoreSpec` accepts, for "Expected …". */
export const STORE_FORM = "DEVICE[:/PATH]";

/** Devices without a colon in their names, and a path without a slash in front, as dracut accepts it. */
const RELATIVE = /^(\/dev\/(?:mapper\/|disk\/by-[a-z]+\/)?[^/:]+|(?:PART)?(?:UUID|LABEL)=[^:]+):([^:/][^:]*)$/i;

/**
 * Parses DEVICE[:PATH]; null for any other text. A label may contain a colon, and so may SIBLING=n:DEVICE and major:minor: the path
 * begins at the first colon with a slash behind it whose left side is a device.
 */
export function parseStoreSpec(text: string): StoreSpec | null {
  for (const { index } of text.matchAll(/:(?=\/|auto$)/g)) {
    const device = parseDeviceSpec(text.slice(0, index));
    if (device !== null) return withPath(device, text.slice(index + 1));
  }
  const relative = RELATIVE.exec(text);
  const device = relative === null ? null : parseDeviceSpec(relative[1] ?? "");
  if (device !== null) return withPath(device, relative?.[2] ?? "");
  const whole = text.endsWith(":") ? null : parseDeviceSpec(text);
  return whole && { device: whole, path: null };
}

function withPath(device: DeviceSpec, text: string): StoreSpec | null {
  if (text === "auto") return { device, path: text };
  if (/^\/+$/.test(text)) return { device, path: null };
  const path = normalisePath(text);
  return path === null ? null : { device, path };
}
