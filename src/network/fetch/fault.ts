import { CERTIFICATES, type Fault } from "../../problems/causes/transfer.ts";

/** Ends a transfer. */
export class TransferError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.kind);
    this.name = "TransferError";
    this.fault = fault;
  }
}

/** True if the same URL would fail again in the same way. */
export function isFinal(fault: Fault): boolean {
  switch (fault.kind) {
    case "connection":
      return CERTIFICATES[fault.code] !== undefined;
    case "status":
      // A request that timed out, came too early or too often, or a server that is overloaded or restarts.
      return fault.status < 500 && ![408, 425, 429].includes(fault.status);
    case "cut":
    case "range":
      return false;
    case "tftp":
      // RFC 1350: 1, there is no such file; 2, access is denied. RFC 2347: 8, the options are refused.
      return [1, 2, 8].includes(fault.code);
    default:
      return true;
  }
}
