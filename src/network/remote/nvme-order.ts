import type { NvmePlace } from "../../parameters/network/nvmf.ts";
import type { NvmeOutcome } from "../../problems/diagnoses/network/nvme.ts";

/** A discovery service, and who asks it. */
export interface NvmeOrder extends NvmePlace {
  readonly hostNqn: string | null;
  readonly hostId: string | null;
  /** How long the server has to accept a connection. */
  readonly timeoutMs: number;
}

/** An order or an answer as JSON. */
export function encodeNvme(value: NvmeOrder | NvmeOutcome): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Decodes an order that `encodeNvme` has made. */
export function decodeNvmeOrder(bytes: Uint8Array): NvmeOrder {
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
}

/** Decodes an answer that `encodeNvme` has made. */
export function decodeNvmeAnswer(bytes: Uint8Array): NvmeOutcome {
  return JSON.parse(new TextDecoder().decode(bytes));
}
