import type { Settings } from "../../parameters/parameters.ts";
import { tryParse } from "../../parameters/parse.ts";
import { parseNfsPlace } from "../../parameters/sources/nfs-source.ts";
import * as values from "../../parameters/values.ts";
import { problem } from "../../problems/problem.ts";

/** Replaces root=dhcp by what the root path of the DHCP server names: what root= may name, or a directory on an NFS server as SERVER:PATH. Throws BootError. */
export function obeyRootPath(settings: Settings, rootPath: string | null): Settings {
  const { root } = settings;
  if (root?.other?.kind !== "dhcp" || rootPath === null) return settings;
  const place = parseNfsPlace(rootPath);
  if (place !== null) return { ...settings, root: { ...root, other: { kind: "nfs", ...place } } };
  const read = tryParse(values.root, rootPath);
  if ("expected" in read) throw problem("root-path-unusable", { rootPath, expected: read.expected });
  if (read.value.other?.kind === "dhcp") throw problem("root-path-unusable", { rootPath, expected: "a root" });
  return { ...settings, root: { ...read.value, isLive: root.isLive || read.value.isLive } };
}
