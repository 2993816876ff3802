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
  const { root, boot, nfsRoot, options: flags = "" } = settings;
  const asked = root === undefined && boot === "nfs" ? EMPTY : root?.other;
  if (asked?.kind !== "nfs") return null;
  const isElsewhere = asked.server === null && asked.path === null;
  const [named] = isElsewhere && nfsRoot !== undefined ? readable([nfsRoot]) : [];
  const source = named ?? asked;
  const isNamed = `${source.options},${flags}`.split(",").some((option) => NAMES_VERSION.test(option));
  const all = asked.isVersion4 ? VERSIONS.filter((version) => version !== "3") : VERSIONS;
  const { server, path, options } = source;
  return { server: server ?? findServer(settings), path, options, versions: isNamed ? [] : all };
}

const EMPTY = { kind: "nfs", server: null, path: null, isVersion4: false, options: "" } as const;
