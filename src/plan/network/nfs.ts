import { readable } from "../../parameters/network/deferred.ts";
import type { Settings } from "../../parameters/parameters.ts";
import type { NfsSource } from "../../parameters/sources/nfs-source.ts";
import { findServer } from "./network.ts";

/** A version of NFS as the option vers= has it. */
export type NfsVersion = "3" | "4.0" | "4.1" | "4.2";

/** A directory on an NFS server; what is null comes from DHCP. */
export interface NfsPlan extends Omit<NfsSource, "isVersion4"> {
  /** To try, in this order; empty: the options name one. */
  readonly versions: readonly NfsVersion[];
}

const VERSIONS: readonly NfsVersion[] = ["4.2", "4.1", "4.0", "3"];
const NAMES_VERSION = /^(?:(?:nfs)?vers=|minorversion=|v[234](?:\.\d)?$)/;

/** Returns the NFS root that the parameters ask for; null if they ask for another root. */
export function decideNfs(settings: Settings): NfsPlan | null {
  const { nfsRoot, nfsOptions = "", options: flags = "" } = settings;
  const asked = findAsked(settings);
  if (asked === null) return null;
  const isElsewhere = asked.server === null && asked.path === null;
  const [named] = isElsewhere && nfsRoot !== undefined ? readable([nfsRoot]) : [];
  const source = named === undefined ? asked : withOptions(named, nfsOptions);
  const isNamed = namesVersion(`${source.options},${flags}`);
  const all = asked.isVersion4 ? VERSIONS.filter((version) => version !== "3") : VERSIONS;
  const { server, path, options } = source;
  return { server: server ?? findServer(settings), path, options, versions: isNamed ? [] : all };
}

/** True if mount options say which version of NFS to use. */
export function namesVersion(options: string): boolean {
  return options.split(",").some((option) => NAMES_VERSION.test(option));
}

/** Where nfsroot= or DHCP says. */
const ELSEWHERE: NfsSource = { server: null, path: null, isVersion4: false, options: "" };

/** Returns what names a directory of an NFS server: root=, or the parameters of a medium; null if none does. */
function findAsked({ root, boot, netBoot, archNfs }: Settings): NfsSource | null {
  if (root !== undefined) return root.other?.kind === "nfs" ? root.other : null;
  const isMedium = boot === "live" || boot === "casper";
  if (boot === "nfs" || (isMedium && netBoot === "nfs")) return ELSEWHERE;
  return isMedium || archNfs === undefined ? null : (readable([archNfs])[0] ?? ELSEWHERE);
}

function withOptions(source: NfsSource, more: string): NfsSource {
  const options = [source.options, more].filter((text) => text !== "").join(",");
  return { ...source, options };
}
