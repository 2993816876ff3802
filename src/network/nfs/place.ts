import type { Lease } from "../../formats/network/lease.ts";
import { type NfsSource, parseNfsPlace, parseNfsRoot } from "../../parameters/sources/nfs-source.ts";
import { type NfsPlan, type NfsVersion, namesVersion } from "../../plan/network/nfs.ts";
import { problem } from "../../problems/problem.ts";
import type { NetworkUp } from "../up.ts";

/** Where a root on NFS is, with all that DHCP had to say. */
export interface NfsPlace {
  /** An address or a name. */
  readonly server: string;
  readonly path: string;
  readonly options: string;
  /** To try, in this order; empty: the options name one. */
  readonly versions: readonly NfsVersion[];
}

/** NFS_DEF_PATH of fs/nfs/nfsroot.c, if neither nfsroot= nor DHCP names a path. */
const DEFAULT_PATH = "/tftpboot/%s";

/** Completes the plan by what DHCP gave. Throws BootError if no server is known. */
export function locateNfs(plan: NfsPlan, network: NetworkUp | null): NfsPlace {
  const leases = network?.interfaces.flatMap(({ lease }) => lease ?? []) ?? [];
  const offered = plan.path === null ? findOffered(leases) : null;
  const server = plan.server ?? offered?.server ?? findServer(leases);
  if (server === null) throw problem("nfs-without-server", { path: plan.path });
  const path = plan.path ?? offered?.path ?? DEFAULT_PATH;
  // Options of the command line are the last, so they count.
  const options = [offered?.options ?? "", plan.options].filter((text) => text !== "").join(",");
  const versions = namesVersion(options) ? [] : plan.versions;
  return { server, path: path.replace("%s", () => nameMachine(network)), options, versions };
}

function findOffered(leases: readonly Lease[]): NfsSource | null {
  for (const { rootPath } of leases) {
    const source = rootPath === null ? null : (parseNfsRoot(rootPath) ?? parseNfsPlace(rootPath));
    if (source !== null) return source;
  }
  return null;
}

/** The server of the boot file, or the DHCP server itself, as root_server_addr of net/ipv4/ipconfig.c. */
function findServer(leases: readonly Lease[]): string | null {
  const [lease] = leases;
  return lease === undefined ? null : (lease.nextServer ?? lease.server);
}

/** The host name; without one, the address, as the kernel then calls itself. */
function nameMachine(network: NetworkUp | null): string {
  return network?.hostname ?? network?.interfaces[0]?.addresses[0]?.address ?? "";
}
