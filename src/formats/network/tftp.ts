import { be16 } from "../bytes.ts";

/** A packet of a TFTP server (RFC 1350, RFC 2347). */
export type TftpPacket =
  | { readonly kind: "data"; readonly block: number; readonly data: Uint8Array }
  | { readonly kind: "options" /** By their names in lower case. */; readonly options: ReadonlyMap<string, string> }
  | { readonly kind: "error"; readonly code: number; readonly text: string };

const [READ, DATA, ACK, ERROR, OPTIONS] = [1, 3, 4, 5, 6];

/** Encodes the request for a file, in mode octet, with options. */
export function encodeTftpRead(path: string, options: Readonly<Record<string, number>>): Uint8Array {
  const fields = [path, "octet", ...Object.entries(options).flatMap(([name, value]) => [name, `${value}`])];
  return Uint8Array.of(0, READ, ...new TextEncoder().encode(fields.map((field) => `${field}\0`).join("")));
}

/** Encodes the acknowledgement of a block; its number counts modulo 65,536. */
export function encodeTftpAck(block: number): Uint8Array {
  return Uint8Array.of(0, ACK, (block >> 8) & 255, block & 255);
}

/** Encodes the error that ends a transfer. */
export function encodeTftpError(code: number, text: string): Uint8Array {
  return Uint8Array.of(0, ERROR, 0, code, ...new TextEncoder().encode(text), 0);
}

/** Parses a packet of a server; null for any other. */
export function parseTftp(packet: Uint8Array): TftpPacket | null {
  if (packet.length < 4) return packet.length === 2 && be16(packet, 0) === OPTIONS ? NO_OPTIONS : null;
  switch (be16(packet, 0)) {
    case DATA:
      return { kind: "data", block: be16(packet, 2), data: packet.subarray(4) };
    case ERROR:
      return { kind: "error", code: be16(packet, 2), text: texts(packet.subarray(4))[0] ?? "" };
    case OPTIONS:
      return { kind: "options", options: pairs(texts(packet.subarray(2))) };
    default:
      return null;
  }
}

const NO_OPTIONS: TftpPacket = { kind: "options", options: new Map() };

function texts(bytes: Uint8Array): readonly string[] {
  return new TextDecoder().decode(bytes).split("\0").slice(0, 32);
}

function pairs(fields: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) found.set((fields[at] ?? "").toLowerCase(), fields[at + 1] ?? "");
  return found;
}
