import type { IscsiOutcome } from "../../problems/diagnoses/network/iscsi.ts";

/** A login at a target. */
export interface IscsiOrder {
  readonly host: string;
  readonly port: number;
  /** How long the server has to accept a connection. */
  readonly timeoutMs: number;
  /** The program and its arguments, without the address of the server. */
  readonly argv: readonly string[];
}

/** An order or an answer as JSON. */
export function encodeIscsi(value: IscsiOrder | IscsiOutcome): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Decodes an order that `encodeIscsi` has made. */
export function decodeIscsiOrder(bytes: Uint8Array): IscsiOrder {
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
}

/** Decodes an answer that `encodeIscsi` has made. */
export function decodeIscsiAnswer(bytes: Uint8Array): IscsiOutcome {
  return JSON.parse(new TextDecoder().decode(bytes));
}
