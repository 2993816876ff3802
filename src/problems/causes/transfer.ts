import { byHand, inBootLoader, inBuilder } from "../diagnosis.ts";
import type { Hint } from "../errors.ts";
import { formatBytes } from "../size.ts";

/** Why a transfer from one URL failed. */
export type Fault =
  /** The connection or the certificate: `code` is an errno name or one of OpenSSL's. */
  | { readonly kind: "connection"; readonly code: string }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "redirect"; readonly why: "loop" | "insecure" | "malformed" }
  | { readonly kind: "encoded"; readonly encoding: string }
  /** The body ended early, or the server did not continue where it was asked to. */
  | { readonly kind: "cut"; readonly doneBytes: number; readonly totalBytes: number | null }
  | { readonly kind: "tftp"; readonly code: number; readonly text: string }
  | { readonly kind: "slow"; readonly bytes: number; readonly ms: number }
  | { readonly kind: "range"; readonly range: string }
  | { readonly kind: "too-large"; readonly limitBytes: number; readonly totalBytes: number | null }
  | { readonly kind: "digest"; readonly algorithm: string; readonly hex: string }
  /** No room, or the file cannot be written. */
  | { readonly kind: "file"; readonly code: string };

/** Codes of the runtime and of OpenSSL for a server whose certificate is not accepted. */
export const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired, or the clock of this machine is wrong",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or the clock of this machine is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  HOSTNAME_MISMATCH: "its certificate is for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed, and this image does not know it",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate was issued by an authority that this image does not know",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate was issued by an authority that this image does not know",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate was issued by an authority that this image does not know",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate was issued by an authority that this image does not know",
  CERT_UNTRUSTED: "its certificate is not trusted",
  CERT_REJECTED: "its certificate is not trusted",
  CERT_REVOKED: "its certificate was revoked",
  CERT_SIGNATURE_FAILURE: "the signature of its certificate is wrong",
};

const CONNECTIONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the server closed the connection",
  ETIMEDOUT: "the server does not answer",
  ENOTFOUND: "the name of the server is unknown",
  EAI_AGAIN: "the name server does not answer",
  ENETUNREACH: "there is no route to the server",
  EHOSTUNREACH: "there is no route to the server",
  EPROTO: "the server does not speak HTTP",
  EBADMSG: "the server does not speak TFTP",
  // Of the runtime's client, for answers that it cannot read.
  InvalidHTTPResponse: "the server does not speak HTTP",
  InvalidContentLength: "the server does not speak HTTP",
  ResponseHeadersTooLarge: "the server does not speak HTTP",
};

const REDIRECTS = {
  loop: "it redirects too often",
  insecure: "it redirects from HTTPS to HTTP",
  malformed: "it redirects to an address that is not HTTP",
} as const;

/** Returns the clause that says why a transfer failed. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "connection":
      return CERTIFICATES[fault.code] ?? CONNECTIONS[fault.code] ?? `the connection failed (${fault.code})`;
    case "status":
      return `the server answers with status ${fault.status}`;
    case "redirect":
      return REDIRECTS[fault.why];
    case "encoded":
      return `the server compresses the file (${fault.encoding}) although that was refused`;
    case "cut":
      return `the connection ended after ${formatBytes(fault.doneBytes)}${fault.totalBytes === null ? "" : ` of ${formatBytes(fault.totalBytes)}`}`;
    case "tftp":
      return `the server refuses the file: ${fault.text || "no reason"} (TFTP error ${fault.code})`;
    case "slow":
      return `the server sends less than ${formatBytes(fault.bytes)} in ${fault.ms / 1000} s`;
    case "range":
      return `the server sent another part of the file than it was asked for (${fault.range})`;
    case "too-large":
      return `the file ${fault.totalBytes === null ? "does not end" : `has ${formatBytes(fault.totalBytes)}`}, and there is room for ${formatBytes(fault.limitBytes)}`;
    case "digest":
      return `its ${fault.algorithm} is ${fault.hex}`;
    case "file":
      return `the file cannot be written (${fault.code})`;
  }
}

/** Returns what to try after a transfer failed. */
export function hintsForFault(fault: Fault): readonly Hint[] {
  switch (fault.kind) {
    case "connection":
      return hintsForConnection(fault.code);
    case "cut":
    case "slow":
      return [byHand("check the server and the network cable")];
    case "too-large":
      return [
        byHand("give the machine more memory"),
        inBootLoader("use a root over NFS, NBD or iSCSI, which needs no copy"),
      ];
    case "digest":
      return [
        inBootLoader("correct rd.image.digest= if the file was changed on purpose"),
        byHand("put the right file on the server"),
      ];
    case "file":
      return [byHand("give the machine more memory")];
    default:
      return [inBootLoader("correct the URL"), byHand("check the server")];
  }
}

function hintsForConnection(code: string): readonly Hint[] {
  if (/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/.test(code)) {
    return [
      byHand("set the clock of this machine, or renew the certificate"),
      inBootLoader("name a time server: rd.ntp=SERVER"),
    ];
  }
  if (code in CERTIFICATES) {
    return [
      inBuilder("add the certificate of the authority to the image: levain image --add FILE:/etc/levain/authorities/"),
      inBootLoader("correct the name in the URL"),
    ];
  }
  if (/^(?:ENOTFOUND|EAI_AGAIN)$/.test(code)) {
    return [inBootLoader("correct the URL, or name a name server: nameserver=ADDRESS")];
  }
  if (/^E(?:NET|HOST)UNREACH$/.test(code)) {
    return [inBootLoader("give the gateway in ip=, or a route: rd.route="), byHand("check the DHCP server's router")];
  }
  return [inBootLoader("correct the URL"), byHand("check that the server runs, its firewall, and the network cable")];
}
