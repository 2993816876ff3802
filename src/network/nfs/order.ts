import type { MountRequest } from "../../machine/mounts.ts";

/** What that process does. */
export type NfsOrder =
  /** Nothing: the answer shows that the process has started. */
  | { readonly kind: "start" }
  | { readonly kind: "connect"; readonly host: string; readonly port: number; readonly timeoutMs: number }
  | { readonly kind: "mount"; readonly request: MountRequest };

/** `address`: of the server, after "connect". `code`: why it was refused, an errno name or one of getaddrinfo(3). */
export type NfsAnswer = { readonly address: string | null } | { readonly code: string };

/** An order or an answer as JSON. */
export function encodeJson(value: NfsOrder | NfsAnswer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Decodes an order that `encodeJson` has made. */
export function decodeOrder(bytes: Uint8Array): NfsOrder {
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
}

/** Decodes an answer that `encodeJson` has made. */
export function decodeAnswer(bytes: Uint8Array): NfsAnswer {
  return JSON.parse(new TextDecoder().decode(bytes));
}
