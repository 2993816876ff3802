import { formatAddress, parseAddress } from "../../formats/network/addresses.ts";
import { type DhcpMessage, encodeDhcp, OPTION, parseDhcp } from "../../formats/network/dhcp-packet.ts";
import { type Lease, parseLease } from "../../formats/network/lease.ts";
import { encodeUdp, parseUdp } from "../../formats/network/udp-packet.ts";

/** Who asks. */
interface DhcpIdentity {
  readonly mac: Uint8Array;
  /** null: the server may give one. */
  readonly hostname: string | null;
}

/** A client as it is between two packets: plain data. */
export interface DhcpState {
  readonly identity: DhcpIdentity;
  /** discover: a server is sought; request: it was asked for its offer; bound: there is a lease. */
  readonly phase: "discover" | "request" | "bound";
  readonly transaction: number;
  readonly startMs: number;
  /** How often the message of this phase was sent. */
  readonly sent: number;
  /** When it is sent next; infinite if bound. */
  readonly dueMs: number;
  /** What was offered, then what was given. */
  readonly lease: Lease | null;
  /** Servers that have refused what they offered. */
  readonly refusals: readonly string[];
  /** Messages to servers so far. */
  readonly asked: number;
}

/** Numbers from 0 to 1, as Math.random gives them. */
export type Random = () => number;

/** RFC 2131, 4.1 advises 4 s for the first delay, for the slow networks of 1997; a boot would pay that for each lost packet. */
const FIRST_DELAY_MS = 1000;
const MOST_DELAY_MS = 16_000;
/** A server that does not answer a request has gone, or its offer has: another one is sought. */
const MOST_REQUESTS = 4;

const ANY = new Uint8Array(4);
const ALL = Uint8Array.of(255, 255, 255, 255);

const REQUEST_LIST = Uint8Array.of(
  OPTION.netmask,
  OPTION.classlessRoutes, // RFC 3442: before the routers
  OPTION.routers,
  OPTION.nameservers,
  OPTION.hostname,
  OPTION.domain,
  OPTION.rootPath,
  OPTION.mtu,
  OPTION.broadcast,
  OPTION.timeServers,
  OPTION.serverName,
  OPTION.bootFile,
  OPTION.domainSearch,
);

/** Returns a client that has sent nothing yet. */
export function startDhcp(identity: DhcpIdentity, nowMs: number, random: Random): DhcpState {
  return {
    identity,
    phase: "discover",
    transaction: newTransaction(random),
    startMs: nowMs,
    sent: 0,
    dueMs: nowMs,
    lease: null,
    refusals: [],
    asked: 0,
  };
}

function newTransaction(random: Random): number {
  return Math.floor(random() * 2 ** 32) >>> 0;
}

/** Handles the packets that have come, and returns the new state with the packets to send now. Call it again at `dueMs`. */
export function advanceDhcp(
  before: DhcpState,
  packets: readonly Uint8Array[],
  nowMs: number,
  random: Random,
): { readonly state: DhcpState; readonly send: readonly Uint8Array[] } {
  const state = packets.reduce((current, packet) => handlePacket(current, packet, nowMs, random), before);
  if (state.phase === "bound" || state.dueMs > nowMs) return { state, send: [] };
  if (state.phase === "request" && state.sent >= MOST_REQUESTS) {
    return sendNow(seekAgain(state, nowMs, random), nowMs, random);
  }
  return sendNow(state, nowMs, random);
}

function sendNow(state: DhcpState, nowMs: number, random: Random): ReturnType<typeof advanceDhcp> {
  // ±25 %: a thousand machines that start at once must not stay in step.
  const delayMs = Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** state.sent) * (0.75 + random() / 2);
  const next = { ...state, sent: state.sent + 1, asked: state.asked + 1, dueMs: nowMs + delayMs };
  return { state: next, send: [encodeState(state, nowMs)] };
}

/** Seeks a server again, under a new number: late answers to the old one do not count. */
function seekAgain(state: DhcpState, dueMs: number, random: Random): DhcpState {
  return { ...state, phase: "discover", transaction: newTransaction(random), sent: 0, dueMs, lease: null };
}

function encodeState({ identity, phase, transaction, startMs, lease }: DhcpState, nowMs: number): Uint8Array {
  const { mac, hostname } = identity;
  const isRequest = phase === "request" && lease !== null;
  const named = (text: string) => parseAddress(text) ?? ANY;
  const payload = encodeDhcp({
    type: isRequest ? "request" : "discover",
    transaction,
    seconds: Math.floor((nowMs - startMs) / 1000),
    mac,
    options: [
      // RFC 2132, 9.14. NetworkManager and most boot firmware send the same, so the address stays after the handover.
      [OPTION.clientId, Uint8Array.of(1, ...mac)],
      ...(isRequest
        ? ([
            [OPTION.requestedAddress, named(lease.address)],
            [OPTION.server, named(lease.server)],
          ] as const)
        : []),
      [OPTION.maximumSize, Uint8Array.of(1472 >> 8, 1472 & 255)],
      [OPTION.requestList, REQUEST_LIST],
      ...(hostname === null ? [] : ([[OPTION.hostname, new TextEncoder().encode(hostname)]] as const)),
    ],
  });
  return encodeUdp({ source: ANY, destination: ALL, sourcePort: 68, destinationPort: 67, payload });
}

function handlePacket(state: DhcpState, packet: Uint8Array, nowMs: number, random: Random): DhcpState {
  const udp = parseUdp(packet);
  if (udp === null || udp.sourcePort !== 67 || udp.destinationPort !== 68) return state;
  const message = parseDhcp(udp.payload, state.identity.mac);
  if (message === null || message.transaction !== state.transaction) return state;
  return handleMessage(state, message, nowMs, random);
}

function handleMessage(state: DhcpState, message: DhcpMessage, nowMs: number, random: Random): DhcpState {
  const lease = parseLease(message);
  if (state.phase === "discover" && message.type === "offer" && lease !== null) {
    // A server that has refused before is asked again only if no other answers.
    if (state.refusals.includes(lease.server) && state.sent < 2) return state;
    return { ...state, phase: "request", lease, sent: 0, dueMs: nowMs };
  }
  if (state.phase !== "request" || state.lease === null) return state;
  if (message.type === "ack" && lease !== null && lease.address === state.lease.address) {
    return { ...state, phase: "bound", lease, dueMs: Number.POSITIVE_INFINITY };
  }
  const isRefusal = message.type === "nak" && serverOf(message) === state.lease.server;
  if (!isRefusal) return state;
  const refusals = [...new Set([...state.refusals, state.lease.server])];
  // RFC 2131, 3.1.5: begin again, but not so fast that a server that always refuses gets a flood.
  const dueMs = nowMs + (state.refusals.length === 0 ? 0 : FIRST_DELAY_MS * (1 + random()));
  return { ...seekAgain(state, dueMs, random), refusals };
}

function serverOf({ options }: DhcpMessage): string | null {
  const value = options.get(OPTION.server);
  return value?.length === 4 ? formatAddress(value) : null;
}
