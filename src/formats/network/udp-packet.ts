import { be16 } from "../bytes.ts";
import type { IpAddress } from "./addresses.ts";

const IP_HEADER = 20;
const UDP_HEADER = 8;
const UDP = 17;

/** Addresses and ports of a packet. */
export interface UdpPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** Encodes UDP over IPv4 (RFC 768, RFC 791), for a socket that sends whole packets. */
export function encodeUdp({ source, destination, sourcePort, destinationPort, payload }: UdpPacket): Uint8Array {
  const length = IP_HEADER + UDP_HEADER + payload.length;
  const packet = new Uint8Array(length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  view.setUint16(2, length);
  packet[8] = 64; // time to live
  packet[9] = UDP;
  packet.set(source, 12);
  packet.set(destination, 16);
  view.setUint16(10, checksum(packet.subarray(0, IP_HEADER)));
  view.setUint16(IP_HEADER, sourcePort);
  view.setUint16(IP_HEADER + 2, destinationPort);
  view.setUint16(IP_HEADER + 4, UDP_HEADER + payload.length);
  packet.set(payload, IP_HEADER + UDP_HEADER);
  // 0 means that there is no checksum.
  view.setUint16(IP_HEADER + 6, udpChecksum(packet, IP_HEADER) || 0xffff);
  return packet;
}

/** The checksum covers the addresses, the protocol and the length too. */
function udpChecksum(packet: Uint8Array, header: number): number {
  const segment = packet.subarray(header);
  const pseudo = new Uint8Array(12 + segment.length);
  pseudo.set(packet.subarray(12, 20));
  pseudo[9] = UDP;
  new DataView(pseudo.buffer).setUint16(10, segment.length);
  pseudo.set(segment, 12);
  return checksum(pseudo);
}

/** The checksum of RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += be16(bytes, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/**
 * Parses UDP over IPv4; null for anything else. The checksum of UDP is not looked at: a packet of a virtual machine on the same
 * host comes without one, because no cable can damage it, and a packet socket does not say so.
 */
export function parseUdp(packet: Uint8Array): UdpPacket | null {
  const header = ((packet[0] ?? 0) & 15) * 4;
  const total = be16(packet, 2);
  const isIpv4 = (packet[0] ?? 0) >> 4 === 4 && header >= IP_HEADER && total >= header + UDP_HEADER;
  if (!isIpv4 || total > packet.length || packet[9] !== UDP) return null;
  const isFragment = (be16(packet, 6) & 0x3fff) !== 0;
  const length = be16(packet, header + 4);
  if (isFragment || length < UDP_HEADER || header + length > total) return null;
  if (checksum(packet.subarray(0, header)) !== 0) return null;
  return {
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    sourcePort: be16(packet, header),
    destinationPort: be16(packet, header + 2),
    payload: packet.subarray(header + UDP_HEADER, header + length),
  };
}
