import { formatAddress, formatMac } from "../../src/formats/network/addresses.ts";
import type { MappingRequest } from "../../src/machine/encryption.ts";
import type { Handover } from "../../src/machine/handover.ts";
import type { Machine } from "../../src/machine/machine.ts";
import type { MountRequest } from "../../src/machine/mounts.ts";
import type { NetworkChange } from "../../src/machine/network/network.ts";
import type { LoopRequest } from "../../src/machine/storage/loops.ts";

type Describer = {
  readonly [Name in keyof Machine]?: Machine[Name] extends (...given: infer Given) => unknown
    ? (...given: Given) => string
    : never;
};

/** Calls that change something, in words. */
const CHANGES: Describer = {
  writeFile: (path) => `write ${path}`,
  makeDirectory: (path) => `mkdir ${path}`,
  makeSymlink: (target, path) => `link ${path} to ${target}`,
  makeNode: (path, kind, major, minor) => `node ${path} ${kind} ${major}:${minor}`,
  allowChanges: (path) => `allow changes of ${path}`,
  changeOwner: (path, user, group) => `owner of ${path} ${user}:${group}`,
  copyAttributes: (source, target) => `attributes of ${source} for ${target}`,
  removeFile: (path) => `remove ${path}`,
  wipeFile: (path) => `wipe ${path}`,
  removeDirectory: (path) => `remove ${path}/`,
  removeTree: (path) => `remove ${path}/…`,
  rename: (from, to) => `rename ${from} to ${to}`,
  copyFile: (source, target) => `copy ${source} to ${target}`,
  mount: describeMount,
  moveMount: (from, to) => `move ${from} to ${to}`,
  unmount: (target, lazy) => `unmount ${target}${lazy === true ? " (lazy)" : ""}`,
  attachLoop: describeLoop,
  detachLoop: (device) => `detach ${device}`,
  protectDevice: (device) => `protect ${device}`,
  releaseDevice: (device) => `release ${device}`,
  releaseDevices: () => "release every device",
  writeDevice: (device, offset, data) => `write ${data.length} bytes of ${device} at ${offset}`,
  registerBtrfs: (device) => `register ${device} with btrfs`,
  forgetBtrfs: () => "forget the devices of btrfs",
  startArray: ({ name, metadata, members }) => `start ${name} ${metadata} of ${members.join(" and ")}`,
  stopArray: (name) => `stop ${name}`,
  changeNetwork: describeNetworkChange,
  createMapping: describeMapping,
  removeMapping: (name) => `unmap ${name}`,
  addLogonKey: (description) => `add key ${description}`,
  removeKey: () => "remove a key",
  startModule: (path, parameters) => `load ${path}${parameters === "" ? "" : ` ${parameters}`}`,
  openTerminals: (nodes) => `listen to ${nodes.join(" and ")}`,
  closeTerminals: () => "listen to no terminal",
  loadKeymap: (tables) => `load a keymap of ${tables.size} tables`,
  run: (argv) => `run ${argv.join(" ")}`,
  runOnTerminal: (argv, terminal) => `run ${argv.join(" ")} on ${terminal}`,
  hangUp: () => "hang up a process",
  restartInit: () => "restart process 1",
  handOver: describeHandover,
  setTimeOfDay: (ms) => `set the clock to ${new Date(ms).toISOString()}`,
  power: (action) => action,
};

/** The line of a call in the journal; a directory that is there already is not made, so no change. */
export function describeCall(
  name: string,
  given: readonly unknown[],
  machine: Omit<Machine, "mountApart">,
): { readonly line: string; readonly isChange: boolean } {
  const describe = CHANGES[name as keyof Machine] as ((...all: readonly unknown[]) => string) | undefined;
  if (describe === undefined)
    return { line: [name, ...given.filter((one) => typeof one === "string")].join(" "), isChange: false };
  const isThere = name === "makeDirectory" && machine.stat(String(given[0]))?.kind === "directory";
  return { line: describe(...given), isChange: !isThere };
}

function describeMount({ source, target, type, flags, options }: MountRequest): string {
  const words = [...flags, ...(options === "" ? [] : [options])].join(",");
  return `mount ${type === "" ? "" : `${type} `}${source} at ${target}${words === "" ? "" : ` (${words})`}`;
}

function describeLoop({ file, readOnly, offset }: LoopRequest): string {
  return `loop ${file}${readOnly ? " (ro)" : ""}${offset === undefined ? "" : ` from ${offset}`}`;
}

function describeNetworkChange(change: NetworkChange): string {
  switch (change.kind) {
    case "set-link": {
      const { kind: _, index, ...rest } = change;
      const words = Object.entries(rest).map(
        ([key, value]) => `${key}=${value instanceof Uint8Array ? formatMac(value) : value}`,
      );
      return `set interface ${index} ${words.join(" ")}`;
    }
    case "make-link":
      return `make ${change.type} ${change.name}${change.type === "vlan" ? ` ${change.id} on ${change.parent}` : ""}`;
    case "remove-link":
      return `remove interface ${change.index}`;
    case "remove-address":
      return `remove ${formatAddress(change.address)} from ${change.index}`;
    case "add-address": {
      const { index, address, prefix, peer, broadcast, lifetime } = change;
      const more = [
        peer && `peer ${formatAddress(peer)}`,
        broadcast && `broadcast ${formatAddress(broadcast)}`,
        lifetime && `for ${lifetime} s`,
      ];
      return [`add ${formatAddress(address)}/${prefix} to ${index}`, ...more.filter(Boolean)].join(" ");
    }
    default: {
      const { index, destination, gateway, isOnLink } = change;
      const to = destination === null ? "default" : `${formatAddress(destination.address)}/${destination.prefix}`;
      return `route ${to} on ${index}${gateway === null ? "" : ` via ${formatAddress(gateway)}`}${isOnLink ? " onlink" : ""}`;
    }
  }
}

/** Without the parameters: a key may be among them. */
function describeMapping({ name, uuid, readOnly, targets }: MappingRequest): string {
  return `map ${name} as ${uuid}: ${targets.map(({ type }) => type).join(", ")}${readOnly ? " (ro)" : ""}`;
}

function describeHandover({ mode, root, putOld, argv, environment }: Handover): string {
  const old = putOld === null ? "" : `, the old root at ${putOld}`;
  const more = environment.length === 0 ? "" : ` with ${environment.join(" ")}`;
  return `${mode} to ${root}${old}: ${argv.join(" ")}${more}`;
}
