import { isIpv6 } from "../../formats/network/addresses.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { NvmePlace } from "../../parameters/network/nvmf.ts";
import type { NbdExport } from "../../parameters/network/remote.ts";
import type { Settings } from "../../parameters/parameters.ts";
import type { NbdDisk, RemotePlan } from "./plan.ts";

/** No disk on a server. */
export const NO_REMOTE: RemotePlan = { aoe: null, nbd: [], nvme: null };

/** Decides which disks on servers are connected; `devices`: those that the plan needs. */
export function decideRemote(settings: Settings, devices: readonly DeviceSpec[]): RemotePlan {
  const servers = [...(settings.root?.remote ? [settings.root.remote] : []), ...settings.netroots];
  return {
    aoe: decideAoe(settings, servers.some(({ server }) => server.kind === "aoe") || devices.some(isEtherd)),
    nbd: numbered(
      settings.nbdRoot,
      servers.flatMap(({ server }) => (server.kind === "nbd" ? [server.export] : [])),
    ),
    nvme: decideNvme(settings),
  };
}

function decideNvme({ nvmeDiscovery: places, nvmeHostNqn, nvmeHostId }: Settings): RemotePlan["nvme"] {
  return places.length === 0 ? null : { places, hostNqn: nvmeHostNqn ?? null, hostId: nvmeHostId ?? null };
}

/** Several rd.aoe= name several interfaces; one without a name means all. */
function decideAoe({ aoe }: Settings, isNeeded: boolean): RemotePlan["aoe"] {
  if (aoe.length === 0) return isNeeded ? { interfaces: [] } : null;
  const isEvery = aoe.some(({ interfaces }) => interfaces.length === 0);
  return { interfaces: isEvery ? [] : [...new Set(aoe.flatMap(({ interfaces }) => interfaces))] };
}

/** True for a device of ATA over Ethernet, by its path. */
function isEtherd(spec: DeviceSpec): boolean {
  const own = spec.by === "sibling" ? spec.of : spec;
  return own.by === "path" && own.path.startsWith("/dev/etherd/");
}

/** Gives the exports names, in their order; those of nbdroot= keep their own. */
function numbered(fixed: NbdDisk | undefined, exports: readonly NbdExport[]): readonly NbdDisk[] {
  const disks: NbdDisk[] = fixed === undefined ? [] : [fixed];
  const isSame = (one: NbdExport) => (disk: NbdDisk) => Bun.deepEquals(disk.export, one);
  for (const one of exports) {
    if (disks.some(isSame(one))) continue;
    const numbers = Array.from({ length: disks.length + 1 }, (_, number) => `nbd${number}`);
    const device = numbers.find((name) => !disks.some((disk) => disk.device === name)) ?? "";
    disks.push({ export: one, device });
  }
  return disks;
}

/** Returns the mount of the root, where root= itself has the type and the options: dracut's nbd:SERVER:EXPORT:TYPE:OPTIONS. */
export function mountOfRoot({ root, types, options }: Settings): {
  readonly rootTypes: readonly string[];
  readonly rootOptions: string;
} {
  return { rootTypes: types ?? root?.remote?.types ?? [], rootOptions: options ?? root?.remote?.options ?? "" };
}

/** True if a disk on a server may be a part of the root: its interface has to stay up. */
export function isRemote({ aoe, nbd, nvme }: RemotePlan): boolean {
  return aoe !== null || nbd.length > 0 || nvme !== null;
}

/** Returns the server and the export as a URL: `nbd://192.0.2.1:10809/disk`. */
export function formatNbd({ host, port, name }: NbdExport): string {
  return `nbd://${isIpv6(host) ? `[${host}]` : host}:${port}/${name}`;
}

/** Returns a server and its port: "192.0.2.1 port 4420". */
export function formatNvme({ host, port }: Pick<NvmePlace, "host" | "port">): string {
  return `${host} port ${port}`;
}

/** Formats the disks, a line a subject. */
export function formatRemote({
  aoe,
  nbd,
  nvme,
}: RemotePlan): readonly (readonly [subject: string, text: string | null])[] {
  return [
    ["AoE", aoe && (aoe.interfaces.join(" and ") || "every Ethernet interface")],
    ...nbd.map(({ export: one, device }) => ["NBD", `${formatNbd(one)} as /dev/${device}`] as const),
    ...(nvme?.places ?? []).map((place) => ["NVMe", `over TCP, the subsystems of ${formatNvme(place)}`] as const),
  ];
}
