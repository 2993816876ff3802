import type { Settings } from "../../parameters/parameters.ts";
import { tryParse } from "../../parameters/parse.ts";
import { parseNfsPlace } from "../../parameters/sources/nfs-source.ts";
import { root as parseRoot } from "../../parameters/sources/root-setting.ts";
import type { OtherSource } from "../../parameters/sources/root-source.ts";
import { problem } from "../../problems/problem.ts";

const EXPECTED = "nfs:SERVER:PATH, nbd:SERVER:EXPORT, aoe:eSHELF.SLOT, http://…, tftp://…";

/**
 * Replaces root=dhcp by what the root path of the DHCP server names: a root on the network as root= names it, or a directory on an NFS
 * server as SERVER:PATH. Nothing of this machine: which disk or stick is booted is not for the network to say. Throws BootError.
 */
export function obeyRootPath(settings: Settings, rootPath: string | null): Settings {
  const { root } = settings;
  if (root?.other?.kind !== "dhcp" || rootPath === null) return settings;
  const read = tryParse(parseRoot, rootPath);
  if ("value" in read && (read.value.remote !== undefined || isOnServer(read.value.other)))
    return { ...settings, root: { ...read.value, isLive: root.isLive || read.value.isLive } };
  const place = parseNfsPlace(rootPath);
  if (place === null) throw problem("root-path-unusable", { rootPath, expected: EXPECTED });
  return { ...settings, root: { ...root, other: { kind: "nfs", ...place } } };
}

function isOnServer(other: OtherSource | null): boolean {
  return other?.kind === "nfs" || other?.kind === "download";
}
