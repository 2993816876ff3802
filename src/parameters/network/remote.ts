import { parseAddress } from "../../formats/network/addresses.ts";
import type { DeviceSpec } from "../device-spec.ts";
import { parser } from "../parse.ts";
import { type IscsiSource, parseIscsi } from "./iscsi.ts";

/** An export of an NBD server. */
export interface NbdExport {
  /** A name, or an address of IPv4 or IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** "": the server's default. */
  readonly name: string;
}

/** A disk on a server that root= names: the device that it becomes, and how its filesystem is mounted if root= says so. */
export interface RemoteRoot {
  readonly device: DeviceSpec;
  readonly server: { readonly kind: "nbd"; readonly export: NbdExport } | { readonly kind: "aoe" };
  readonly types: readonly string[];
  readonly options: string;
}

/** nbdroot=: the export, and the kernel's name for its device. */
export interface NbdRoot {
  readonly export: NbdExport;
  /** "nbd0" */
  readonly device: string;
}

const NBD_PORT = 10_809;
/** The device of the first export. */
const FIRST_NBD = "nbd0";
/** Longer names are refused by the protocol (NBD_MAX_STRING_SIZE of doc/proto.md). */
const MOST_NAME_BYTES = 4096;

const NBD_FORMS = "nbd:SERVER:EXPORT[:TYPE[:OPTIONS]] or nbd://SERVER[:PORT]/EXPORT (an address of IPv6 in brackets)";
const HOST = String.raw`\[([0-9a-f:.]+)\]|([\w.-]+)`;

/** Parses nbd:SERVER:EXPORT and nbd://SERVER/EXPORT; Throws Expected for another text that begins with nbd:. */
export const parseNbdSource = parser(NBD_FORMS, (text): RemoteRoot | null => {
  const url = new RegExp(`^nbd://(?:${HOST})(?::(\\d{1,5}))?/(.*)$`, "is").exec(text);
  if (url !== null) {
    const [, six, host, port = String(NBD_PORT), name = ""] = url;
    return remoteNbd(six, host, port, name, { types: [], options: "" });
  }
  const colons = new RegExp(`^nbd:(?:${HOST}):([^:]+)(?::([\\w,.-]*)(?::([^:]*).*)?)?$`, "is").exec(text);
  if (colons === null) return null;
  const [, six, host, place = "", types = "", options = ""] = colons;
  const isPort = isPortNumber(place);
  const mount = { types: types.split(",").filter((type) => type !== "" && type !== "auto"), options };
  return remoteNbd(six, host, isPort ? place : String(NBD_PORT), isPort ? "" : place, mount);
});

function remoteNbd(
  six: string | undefined,
  host: string | undefined,
  port: string,
  name: string,
  mount: Pick<RemoteRoot, "types" | "options">,
): RemoteRoot | null {
  const found = nbdExport(six ?? host ?? "", port, name);
  if (found === null || (six !== undefined && parseAddress(six)?.length !== 16)) return null;
  return {
    device: { by: "path", path: `/dev/${FIRST_NBD}` },
    server: { kind: "nbd", export: found },
    ...mount,
  };
}

/** As dracut and nbd-client's hook read it: a number is a port, and the server's default export is meant. */
function isPortNumber(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536;
}

function nbdExport(host: string, port: string, name: string): NbdExport | null {
  const fits = host !== "" && isPortNumber(port) && Buffer.byteLength(name) <= MOST_NAME_BYTES;
  return fits ? { host, port: Number(port), name } : null;
}

/** Parses nbdroot=SERVER[,EXPORT|PORT[,DEVICE]], as the initramfs hook of Debian's nbd-client reads it. */
export const parseNbdRoot = parser("SERVER[,EXPORT or PORT[,nbdN]]", (text): NbdRoot | null => {
  const [host = "", place = "", device = FIRST_NBD, ...more] = text.split(",");
  const isHost = /^[\w.-]+$/.test(host) || parseAddress(host) !== null;
  if (!isHost || more.length > 0 || !/^nbd\d{1,3}$/.test(device.replace(/^\/dev\//, ""))) return null;
  const isPort = isPortNumber(place);
  const found = nbdExport(host, isPort ? place : String(NBD_PORT), isPort ? "" : place);
  return found && { export: found, device: device.replace(/^\/dev\//, "") };
});

/** Parses aoe:eSHELF.SLOT[pN]. */
export const parseAoeSource = parser(
  "aoe:eSHELF.SLOT, with pN behind it for a partition",
  (text): RemoteRoot | null => {
    const name = /^aoe:(?:\/dev\/etherd\/)?(e\d{1,5}\.\d{1,3}(?:p\d{1,3})?)$/.exec(text)?.[1];
    if (name === undefined) return null;
    return {
      device: { by: "path", path: `/dev/etherd/${name}` },
      server: { kind: "aoe" },
      types: [],
      options: "",
    };
  },
);

/** Parses a root= that names a disk on a server; null for any other. Throws Expected. */
export function parseRemoteRoot(text: string): RemoteRoot | null {
  if (/^nbd:/i.test(text)) return parseNbdSource(text);
  return /^aoe:/i.test(text) ? parseAoeSource(text) : null;
}

/** A disk on a server that netroot= names. */
export type NetRoot =
  | Pick<RemoteRoot, "server">
  | { readonly server: { readonly kind: "iscsi"; readonly source: IscsiSource } };

/** netroot=, which names the server of a root= that is a label or a path; none for one that levain does not support. Throws Expected. */
export const netroot = (text: string): readonly NetRoot[] => {
  if (/^iscsi:./i.test(text)) return [{ server: { kind: "iscsi", source: parseIscsi(text) } }];
  const found = parseRemoteRoot(text);
  return found === null ? [] : [found];
};

/** True for a value of netroot= that levain supports. */
export function isSupportedNetroot(text: string | null): boolean {
  return /^(?:nbd|aoe|iscsi):/i.test(text ?? "");
}

/** The interfaces of rd.aoe=; none for all of them, null for none at all. */
export const aoeInterfaces = parser(
  "names of interfaces, separated by commas",
  (text): { readonly interfaces: readonly string[] } | null => {
    const names = text.split(/[\s,]+/).filter((name) => name !== "");
    // IFNAMSIZ of linux/if.h.
    return names.every((name) => /^[\w.@-]{1,15}$/.test(name)) ? { interfaces: names } : null;
  },
);
