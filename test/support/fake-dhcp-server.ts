import { formatMac, parseAddress } from "../../src/formats/network/addresses.ts";
import { encodeUdp, parseUdp } from "../../src/formats/network/udp-packet.ts";

/** A DHCP server as a function from a packet to its answers; written from RFC 2131, apart from levain's codec. */
export type FakeDhcpServer = (
  packet: Uint8Array,
  nowMs: number,
) => readonly { readonly afterMs: number; readonly packet: Uint8Array }[];

export interface FakeDhcpOptions {
  readonly server?: string;
  /** null: it offers none. */
  readonly address?: string | null;
  readonly options?: Readonly<Record<number, readonly number[]>>;
  readonly file?: string;
  /** Answers requests with NAK, all or the first few. */
  readonly refuses?: number;
  /** Drops the first messages. */
  readonly drops?: number;
  readonly delayMs?: number;
}

const bytes = (address: string) => [...(parseAddress(address) ?? [])];

/** A client's message, as RFC 2131 has it. */
export interface SeenRequest {
  readonly type: number;
  readonly transaction: Uint8Array;
  readonly mac: string;
  readonly options: ReadonlyMap<number, readonly number[]>;
}

/** Reads a message of a client; null for another packet. */
export function readRequest(packet: Uint8Array): SeenRequest | null {
  const udp = parseUdp(packet);
  if (udp === null || udp.destinationPort !== 67 || udp.payload[0] !== 1) return null;
  const { payload } = udp;
  const options = new Map<number, readonly number[]>();
  for (let at = 240; at < payload.length && payload[at] !== 255; ) {
    const [code = 0, length = 0] = [payload[at], payload[at + 1]];
    options.set(code, [...payload.subarray(at + 2, at + 2 + length)]);
    at += 2 + length;
  }
  return {
    type: options.get(53)?.[0] ?? 0,
    transaction: payload.slice(4, 8),
    mac: formatMac(payload.subarray(28, 34)),
    options,
  };
}

export function makeReply(
  request: Pick<SeenRequest, "transaction" | "mac">,
  {
    type,
    server,
    address,
    options,
    file = "",
  }: {
    type: number;
    server: string;
    address: string;
    options: Readonly<Record<number, readonly number[]>>;
    file?: string;
  },
): Uint8Array {
  const payload = new Uint8Array(548);
  payload.set([2, 1, 6, 0]);
  payload.set(request.transaction, 4);
  payload.set(bytes(address), 16);
  payload.set(bytes(server), 20);
  payload.set(Uint8Array.fromHex(request.mac.replaceAll(":", "")), 28);
  payload.set(Buffer.from(file, "latin1"), 108);
  payload.set([0x63, 0x82, 0x53, 0x63], 236);
  const all: Record<number, readonly number[]> = { 53: [type], 54: bytes(server), ...options };
  payload.set([...Object.entries(all).flatMap(([code, value]) => [Number(code), value.length, ...value]), 255], 240);
  const ends = { source: new Uint8Array(bytes(server)), destination: Uint8Array.of(255, 255, 255, 255) };
  return encodeUdp({ ...ends, sourcePort: 67, destinationPort: 68, payload });
}

export function fakeDhcpServer(given: FakeDhcpOptions = {}): FakeDhcpServer {
  const { server = "192.0.2.1", address = "192.0.2.50", delayMs = 5, file } = given;
  const options = { 1: [255, 255, 255, 0], 3: bytes(server), 6: bytes(server), 51: [0, 0, 14, 16], ...given.options };
  let { refuses = 0, drops = 0 } = given;
  return (packet) => {
    const request = readRequest(packet);
    if (request === null || address === null || drops-- > 0) return [];
    const asked = request.options.get(54);
    if (request.type === 3 && asked !== undefined && asked.join(".") !== server) return [];
    if (request.type === 3 && refuses-- > 0) {
      return [{ afterMs: delayMs, packet: makeReply(request, { type: 6, server, address: "0.0.0.0", options: {} }) }];
    }
    const type = request.type === 1 ? 2 : 5;
    const more = file === undefined ? {} : { file };
    return [{ afterMs: delayMs, packet: makeReply(request, { type, server, address, options, ...more }) }];
  };
}
