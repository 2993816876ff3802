import { be32, decodeLatin1 } from "../bytes.ts";
import type { IpAddress } from "./addresses.ts";

/** Message types of RFC 2132, 9.6. */
export const MESSAGE_TYPES = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7 } as const;
/** The name of a message type. */
export type MessageType = keyof typeof MESSAGE_TYPES;

/** Options of RFC 2132, RFC 3442 and RFC 3397, by their numbers. */
export const OPTION = {
  netmask: 1,
  routers: 3,
  nameservers: 6,
  hostname: 12,
  domain: 15,
  rootPath: 17,
  mtu: 26,
  broadcast: 28,
  timeServers: 42,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  server: 54,
  requestList: 55,
  message: 56,
  maximumSize: 57,
  clientId: 61,
  serverName: 66,
  bootFile: 67,
  domainSearch: 119,
  classlessRoutes: 121,
} as const;

/** A DHCP message from a server. */
export interface DhcpMessage {
  readonly type: MessageType;
  readonly transaction: number;
  /** yiaddr: the address for the client. */
  readonly address: IpAddress;
  /** siaddr: the server of the boot file. */
  readonly nextServer: IpAddress;
  /** The fields sname and file, if they hold no options. */
  readonly serverName: string;
  readonly file: string;
  readonly options: ReadonlyMap<number, Uint8Array>;
}

/** A DHCP message to the servers. */
export interface DhcpRequest {
  readonly type: "discover" | "request";
  readonly transaction: number;
  /** Since the client began. */
  readonly seconds: number;
  readonly mac: Uint8Array;
  readonly options: readonly (readonly [code: number, value: Uint8Array])[];
}

/** RFC 2131, 2: places of the fields. */
const FIELD = {
  transaction: 4,
  seconds: 8,
  address: 16,
  nextServer: 20,
  mac: 28,
  serverName: 44,
  file: 108,
  cookie: 236,
};
const OPTIONS = 240;
const COOKIE = 0x63825363;
const [PAD, END] = [0, 255];
/** RFC 1542, 2.1: relays drop a shorter message. */
const LEAST_BYTES = 300;

/** Encodes a message of a client on Ethernet. */
export function encodeDhcp({ type, transaction, seconds, mac, options }: DhcpRequest): Uint8Array {
  const all = [[OPTION.messageType, Uint8Array.of(MESSAGE_TYPES[type])] as const, ...options];
  const encoded = all.flatMap(([code, value]) => [code, value.length, ...value]);
  const bytes = new Uint8Array(Math.max(LEAST_BYTES, OPTIONS + encoded.length + 1));
  const view = new DataView(bytes.buffer);
  bytes.set([1, 1, 6, 0]); // BOOTREQUEST, Ethernet, the length of its addresses, no relay yet
  view.setUint32(FIELD.transaction, transaction);
  view.setUint16(FIELD.seconds, Math.min(0xffff, seconds));
  bytes.set(mac.subarray(0, 6), FIELD.mac);
  view.setUint32(FIELD.cookie, COOKIE);
  bytes.set([...encoded, END], OPTIONS);
  return bytes;
}

/** Parses a message of a server for the client with this hardware address; null for anything else. */
export function parseDhcp(bytes: Uint8Array, mac: Uint8Array): DhcpMessage | null {
  const isReply = bytes.length >= OPTIONS && bytes[0] === 2 && be32(bytes, FIELD.cookie) === COOKIE;
  const isOurs = mac.every((byte, at) => bytes[FIELD.mac + at] === byte);
  if (!isReply || !isOurs) return null;
  const serverName = bytes.subarray(FIELD.serverName, FIELD.file);
  const file = bytes.subarray(FIELD.file, FIELD.cookie);
  const options = new Map<number, Uint8Array>();
  collectOptions(bytes.subarray(OPTIONS), options);
  // RFC 2132, 9.3: the fields continue the options, first file, then sname.
  const overload = options.get(OPTION.overload)?.[0] ?? 0;
  if ((overload & 1) !== 0) collectOptions(file, options);
  if ((overload & 2) !== 0) collectOptions(serverName, options);
  const type = (Object.keys(MESSAGE_TYPES) as readonly MessageType[]).find(
    (name) => MESSAGE_TYPES[name] === options.get(OPTION.messageType)?.[0],
  );
  if (type === undefined) return null;
  return {
    type,
    transaction: be32(bytes, FIELD.transaction),
    address: bytes.slice(FIELD.address, FIELD.address + 4),
    nextServer: bytes.slice(FIELD.nextServer, FIELD.nextServer + 4),
    serverName: (overload & 2) !== 0 ? "" : fieldText(serverName),
    file: (overload & 1) !== 0 ? "" : fieldText(file),
    options,
  };
}

/** RFC 3396: the parts of an option that occurs several times are joined. An option that is cut off ends them. */
function collectOptions(bytes: Uint8Array, into: Map<number, Uint8Array>): void {
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at] ?? END;
    if (code === END) return;
    if (code === PAD) {
      at += 1;
      continue;
    }
    const length = bytes[at + 1];
    if (length === undefined || at + 2 + length > bytes.length) return;
    const part = bytes.subarray(at + 2, at + 2 + length);
    into.set(code, Uint8Array.from([...(into.get(code) ?? []), ...part]));
    at += 2 + length;
  }
}

function fieldText(bytes: Uint8Array): string {
  return decodeLatin1(bytes).replace(/\0.*$/s, "");
}
