import { be32 } from "../bytes.ts";

const SIZE = 48;
/** Seconds from 1900, where NTP begins, to 1970. */
const FROM_1900 = 2_208_988_800;
/** After 2^32 s, in 2036, NTP begins again (RFC 4330, 3). */
const ERA = 2 ** 32;
const [CLIENT, SERVER, VERSION] = [3, 4, 4];
const TRANSMIT = 40;

/** Encodes a request for the time (RFC 4330); `nonce` is 8 bytes that the answer has to repeat. */
export function encodeSntp(nonce: Uint8Array): Uint8Array {
  const packet = new Uint8Array(SIZE);
  packet[0] = (VERSION << 3) | CLIENT;
  packet.set(nonce.subarray(0, 8), TRANSMIT);
  return packet;
}

/** Returns the time in an answer, in milliseconds since 1970; null if it is none that counts. `leastMs`: a time before that is of the next era. */
export function parseSntp(packet: Uint8Array, nonce: Uint8Array, leastMs: number): number | null {
  if (packet.length < SIZE) return null;
  const [head = 0, stratum = 0] = packet;
  const isUnsynchronised = head >> 6 === 3;
  if ((head & 7) !== SERVER || isUnsynchronised || stratum === 0 || stratum > 15) return null;
  if (nonce.some((byte, at) => packet[24 + at] !== byte)) return null;
  const seconds = be32(packet, TRANSMIT);
  if (seconds === 0) return null;
  const ms = (seconds - FROM_1900) * 1000 + (be32(packet, TRANSMIT + 4) * 1000) / ERA;
  return Math.round(ms < leastMs ? ms + ERA * 1000 : ms);
}
