import { type DeviceSpec, formatDeviceSpec } from "../parameters/device-spec.ts";
import type { Settings } from "../parameters/parameters.ts";
import { formatNfs } from "../parameters/sources/nfs-source.ts";
import { formatTree } from "../parameters/sources/root-source.ts";
import type { ShareAccount } from "../parameters/sources/share.ts";
import type { DownloadPlan } from "./downloads/plan.ts";
import { decideNfs, type NfsPlan } from "./network/nfs.ts";
import type { NetworkNeeds } from "./network/plan.ts";
import type { RemotePlan } from "./remote/plan.ts";
import { isRemote } from "./remote/remote.ts";

/**
 * GPT types of root partitions by machine, as `uname -m` prints it: the Discoverable Partitions Specification of the
 * UAPI group.
 */
const ROOT_TYPES: Readonly<Record<string, string>> = {
  x86_64: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
  i686: "44479540-f297-41b2-9af7-d131d5f0458a",
  aarch64: "b921b045-1df0-41c3-af44-4c6f280d3fae",
  armv7l: "69dad710-2ce4-4e3c-b16c-21a1d49abed3",
  riscv64: "72ec70a6-cf74-40e6-bd49-4bda08e8f224",
  ppc64le: "c31c45e6-3f39-412e-80fb-4809c4980599",
  s390x: "5eead9a9-fe09-4a1e-a1d7-520d00531306",
  loongarch64: "77055800-792c-4f94-b39a-98c91b762bb6",
};

/** Returns the GPT type of the root partition of a machine; null if it has none. */
export function rootTypeOf(machine: string): string | null {
  return Object.hasOwn(ROOT_TYPES, machine) ? (ROOT_TYPES[machine] ?? null) : null;
}

/** Returns what the root, and a configuration on a server, need of the network. `isBeforeConfig`: that may still name a root. */
export function networkNeedsOf(
  root: RootSource,
  remote: RemotePlan,
  hasConfig: boolean,
  isBeforeConfig: boolean,
): NetworkNeeds {
  const staysThere = root.kind === "nfs" || root.kind === "dhcp" || (root.kind === "tree" && root.type === "cifs");
  const needsAddress =
    hasConfig ||
    root.kind === "download" ||
    staysThere ||
    remote.nbd.length > 0 ||
    remote.nvme !== null ||
    remote.iscsi.length > 0;
  return {
    isNeeded: needsAddress || remote.aoe !== null,
    needsAddress,
    carriesRoot: staysThere || isRemote(remote) || (isBeforeConfig && root.kind === "none"),
    links: remote.aoe?.interfaces ?? null,
  };
}

type RootOfTree = Extract<RootSource, { kind: "tree" }>;

/** Where the root filesystem comes from. */
export type RootSource =
  /** A block device: root=, then each rootfallback=, in the order to try; at least one. */
  | { readonly kind: "block"; readonly devices: readonly DeviceSpec[] }
  /** A filesystem that the kernel mounts by a name, as 9p: no device is searched for. */
  | { readonly kind: "tree"; readonly type: string; readonly source: string; readonly account?: ShareAccount | null }
  /** A file on a web server; a tmpfs with it is the medium. */
  | ({ readonly kind: "download" } & DownloadPlan)
  /** A directory on an NFS server. */
  | ({ readonly kind: "nfs" } & NfsPlan)
  /** What the root path of DHCP names: the plan is made again when that is known. */
  | { readonly kind: "dhcp" }
  /** Nowhere: the initramfs is the final system. `isAsked`: by root=/dev/ram0 or rd.handover=stay, not because root= is missing. */
  | { readonly kind: "none"; readonly isAsked: boolean };

/** The device of a verified root. */
export const VERIFIED_ROOT: DeviceSpec = { by: "path", path: "/dev/mapper/root" };

/** Decides where the root comes from. `medium`: what root= names, or the parameters of a live medium. */
export function decideRoot(
  settings: Settings,
  { devices, download }: { readonly devices: readonly DeviceSpec[]; readonly download?: DownloadPlan },
  { machine, findEsp }: { readonly machine: string; readonly findEsp: () => string | null },
): RootSource {
  const { root, rootFallbacks, rootHash, handover, gptAuto } = settings;
  if ((root?.device === null && root.other === null) || handover === "stay") return { kind: "none", isAsked: true };
  if (download !== undefined) return { kind: "download", ...download };
  const other = decideOther(settings);
  if (other !== null) return other;
  const isVerified = rootHash !== undefined && root === undefined && devices.length === 0;
  const named = [...(isVerified ? [VERIFIED_ROOT] : devices), ...rootFallbacks];
  const isAuto = root?.device === "auto" || (named.length === 0 && gptAuto !== false);
  const type = isAuto ? rootTypeOf(machine) : null;
  const esp = type === null ? null : findEsp();
  const isFound = type !== null && (esp !== null || root !== undefined);
  const all: readonly DeviceSpec[] = isFound ? [{ by: "discoverable", esp, type }, ...named] : named;
  return all.length === 0 ? { kind: "none", isAsked: false } : { kind: "block", devices: all };
}

/** Returns the root if it is no block device, and no download; else null. */
function decideOther(settings: Settings): RootSource | null {
  const { other = null } = settings.root ?? {};
  if (other?.kind === "tree") return { ...other, ...accountOf(settings, other) };
  if (other?.kind === "dhcp") return other;
  const nfs = decideNfs(settings);
  return nfs === null ? null : { kind: "nfs", ...nfs };
}

/** Returns who a server of SMB knows this machine as; nothing for another root. */
function accountOf(
  { cifsUser, cifsPassword }: Settings,
  { type, account = null }: RootOfTree,
): { readonly account?: ShareAccount | null } {
  if (type !== "cifs") return {};
  const username = cifsUser ?? account?.username;
  return { account: username === undefined ? null : { username, password: cifsPassword ?? account?.password ?? null } };
}

/** Returns the block devices that the root may be, in the order to try; none if it is no block device. */
export function rootDevices(root: RootSource): readonly DeviceSpec[] {
  return root.kind === "block" ? root.devices : [];
}

/** Returns the root as root= names it, its alternatives too; an empty text for none. */
export function nameRoot(root: RootSource): string {
  if (root.kind === "tree") return formatTree(root);
  if (root.kind === "nfs") return `nfs:${formatNfs(root)}`;
  if (root.kind === "dhcp") return "dhcp";
  if (root.kind === "download") return root.urls.join(", else ");
  return rootDevices(root).map(formatDeviceSpec).join(", else ");
}
