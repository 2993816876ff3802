import type { DeviceSpec } from "../device-spec.ts";
import { parser } from "../parse.ts";
import { parseStoreSpec } from "../stack/store-spec.ts";
import { SIZE } from "../values.ts";
import { parseFileUrl } from "./file-url.ts";

/** A root in memory, which is filled from an archive. */
export interface MemoryRoot {
  readonly type: "tmpfs" | "ramfs";
  /** As for tmpfs; null for the kernel's default. A ramfs has none. */
  readonly size: string | null;
}

const SHAPE = /^(?:(ramfs)|tmpfs(?::size=(\S+))?)$/;

/** Parses root=tmpfs, root=tmpfs:size=SIZE or root=ramfs; null for any other text. */
export function parseMemoryRoot(text: string): MemoryRoot | null {
  const found = SHAPE.exec(text);
  if (found === null) return null;
  const size = found[2] ?? null;
  return size !== null && !SIZE.test(size) ? null : { type: found[1] === undefined ? "tmpfs" : "ramfs", size };
}

/** Returns the text of root= for a root in memory. */
export function formatMemoryRoot({ type, size }: MemoryRoot): string {
  return size === null ? type : `${type}:size=${size}`;
}

/** Where the archive is: on a server, or on a device. */
export type ArchiveSetting =
  | { readonly kind: "download"; readonly url: string }
  | { readonly kind: "device"; readonly device: DeviceSpec; readonly path: string };

/** rd.archive=. */
export const archive = parser(
  "http://HOST/PATH, https://HOST/PATH, tftp://HOST/PATH or DEVICE:/PATH",
  (text): ArchiveSetting | null => {
    const url = parseFileUrl(text);
    if (url !== null) return { kind: "download", url };
    const place = parseStoreSpec(text);
    return place === null || place.path === null || place.path === "auto"
      ? null
      : { kind: "device", device: place.device, path: place.path };
  },
);
