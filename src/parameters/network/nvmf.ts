import { parseAddress } from "../../formats/network/addresses.ts";
import { parser } from "../parse.ts";

/** A discovery service of NVMe over TCP, which says where its subsystems are. */
export interface NvmePlace {
  /** A name, or an address of IPv4 or IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The address of this machine for the connections; null: as the routes say. */
  readonly ownAddress: string | null;
}

/** As dracut has it; a service for discovery alone has 8009. */
const NVME_PORT = 4420;

const parsePlace = parser("tcp,SERVER[,OWN-ADDRESS[,PORT]]", (text): NvmePlace | null => {
  const [transport, server = "", own = "", port = "", ...more] = text.split(",");
  const host = server.replace(/^\[(.*)\]$/, "$1");
  const number = port === "" ? NVME_PORT : Number(port);
  const isHost = parseAddress(host) !== null || /^[a-z\d][\w.-]*$/i.test(host);
  const isOwn = own === "" || own === "none" || parseAddress(own) !== null;
  if (transport !== "tcp" || !isHost || !isOwn || more.length > 0) return null;
  if (!/^\d{0,5}$/.test(port) || number < 1 || number > 0xffff) return null;
  return { host, port: number, ownAddress: own === "" || own === "none" ? null : own };
});

/** True for a value of rd.nvmf.discover= that names a transport without support. */
export function isOtherFabric(text: string | null): boolean {
  return /^(?:rdma|fc)(?:,|$)/.test(text ?? "");
}

/** rd.nvmf.discover=; none for a transport without support. Throws Expected. */
export const nvmeDiscovery = (text: string): readonly NvmePlace[] => (isOtherFabric(text) ? [] : [parsePlace(text)]);

/** The longest name (NVMF_NQN_SIZE of linux/nvme.h, without its end). A comma would end it in the options for the kernel. */
const NQN = /^nqn\.[!-+\--~]{1,219}$/;

/** True for a name that the kernel takes as that of a host or a subsystem. */
export function isNqn(text: string): boolean {
  return NQN.test(text);
}

/** rd.nvmf.hostnqn=. */
export const hostNqn = parser("nqn.…, of at most 223 characters and without commas", (text) =>
  isNqn(text) ? text : null,
);

/** rd.nvmf.hostid=. */
export const hostId = parser("a UUID", (text) =>
  /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) ? text.toLowerCase() : null,
);
