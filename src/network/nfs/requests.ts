import type { MountRequest } from "../../machine/mounts.ts";
import { splitMountOptions } from "../../parameters/mount-options.ts";
import { formatNfs } from "../../parameters/sources/nfs-source.ts";
import type { NfsVersion } from "../../plan/network/nfs.ts";
import type { NfsPlace } from "./place.ts";

/** The mount of a root on NFS, without the version. */
export interface NfsMount {
  readonly place: NfsPlace;
  readonly target: string;
  readonly isWritable: boolean;
}

const NFS_PORT = 2049;
const RPCBIND_PORT = 111;

/** Returns mount(2)'s arguments: options as text, as mount.nfs(8) makes them (fs/nfs/fs_context.c). `version` null: the options name it. */
export function nfsRequest(
  { place, target, isWritable }: NfsMount,
  version: NfsVersion | null,
  address: string,
): MountRequest {
  const { flags, options } = splitMountOptions(place.options);
  const given = options.split(",").filter((option) => option !== "");
  const has = (shape: RegExp) => given.some((option) => shape.test(option));
  const added = [
    ...(version === null ? [] : [`vers=${version}`]),
    // rpc.statd, which locks of version 3 need, does not run here: as the kernel's own root on NFS does.
    ...(isVersion3(given, version) && !has(/^(?:(?:no)?lock$|local_lock=)/) ? ["nolock"] : []),
    ...(has(/^addr=/) ? [] : [`addr=${address}`]),
  ];
  const isReadOnly = !isWritable && !flags.includes("ro");
  return {
    source: formatNfs(place),
    target,
    type: "nfs",
    flags: isReadOnly ? [...flags, "ro"] : flags,
    options: [...given, ...added].join(","),
  };
}

function isVersion3(given: readonly string[], version: NfsVersion | null): boolean {
  return version === "3" || given.some((option) => /^(?:(?:nfs)?vers=[23]$|v[23]$)/.test(option));
}

/** Returns the modules for the versions that are tried; a kernel may contain them. */
export function nfsModules({ options, versions }: Pick<NfsPlace, "options" | "versions">): readonly string[] {
  // Loading nfsv4 took 2.7 s of a boot in a guest with icount, nfsv3 0.06 s (bench/nfs.ts).
  const isOld = (version: NfsVersion) => version === "3";
  if (versions.length === 0) return [isVersion3(options.split(","), null) ? "nfsv3" : "nfsv4"];
  return [...(versions.every(isOld) ? [] : ["nfsv4"]), ...(versions.some(isOld) ? ["nfsv3"] : [])];
}

/** Returns the ports of which one must be open before a mount makes sense: that of NFS or, for version 3, that of rpcbind. */
export function nfsPorts({ options, versions }: NfsPlace): readonly number[] {
  const given = options.split(",");
  const port = Number(given.findLast((option) => /^port=\d+$/.test(option))?.slice("port=".length) ?? NFS_PORT);
  const isOld = versions.includes("3") || (versions.length === 0 && isVersion3(given, null));
  return isOld ? [port, RPCBIND_PORT] : [port];
}
