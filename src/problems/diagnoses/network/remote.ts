import { byHand, diagnosis, inBootLoader, inBuilder } from "../../diagnosis.ts";
import type { Hint } from "../../errors.ts";
import { notSupportedYet } from "../../not-supported.ts";

/** Why an NBD server has not given its export. */
export type NbdRefusal =
  | "no-nbd"
  | "too-old"
  | "malformed"
  | "policy"
  | "tls"
  | "unknown-export"
  | "shutdown"
  | "block-size"
  | "empty"
  | "other";

const REFUSALS: Readonly<Record<NbdRefusal, (name: string) => string>> = {
  "no-nbd": () => "what answers there is no NBD server",
  "too-old": () => "the server is too old: it does not know fixed newstyle negotiation with NBD_OPT_GO",
  malformed: () => "the server's answer is malformed",
  policy: () => "the server refuses this client",
  tls: () => `the server requires TLS, which ${notSupportedYet("for NBD")}`,
  "unknown-export": (name) => (name === "" ? "the server has no default export" : `the server has no export "${name}"`),
  shutdown: () => "the server is shutting down",
  "block-size": () => "the server requires blocks that the kernel does not support",
  empty: () => "the export is empty",
  other: () => "the server refuses the export",
};

/** Returns why a server has not given its export, as a clause. */
export function describeNbdRefusal(refusal: NbdRefusal, name: string, words: string): string {
  return `${REFUSALS[refusal](name)}${words === "" ? "" : ` ("${words}")`}`;
}

const NBD_HINTS: Readonly<Partial<Record<NbdRefusal, readonly Hint[]>>> = {
  "no-nbd": [inBootLoader("correct the port: nbd://SERVER:PORT/EXPORT")],
  "too-old": [byHand("update the server: nbd-server 3.16, qemu-nbd 2.12 or nbdkit 1.14 are new enough")],
  policy: [byHand("permit the address of this machine on the server (authfile of nbd-server)")],
  tls: [byHand("serve the export without TLS, in a network that you trust")],
  "unknown-export": [
    inBootLoader("correct the export in root=, netroot= or nbdroot="),
    byHand("list the exports: nbd-client -l SERVER"),
  ],
  "block-size": [byHand("serve the export with blocks of 512 to 4096 bytes")],
};

/** Disks on servers. */
export const REMOTE = {
  "nbd-refused": diagnosis<{ url: string; refusal: NbdRefusal; name: string; words: string }>({
    text: ({ url, refusal, name, words }) => `${url}: ${describeNbdRefusal(refusal, name, words)}`,
    hints: ({ refusal }) => NBD_HINTS[refusal] ?? [],
  }),
  "nbd-not-connected": diagnosis<{ url: string; reason: string }>({
    text: ({ url, reason }) => `${url}: ${reason}`,
    hints: () => [byHand("check that the server runs, its port and its firewall")],
  }),
  "aoe-no-target": diagnosis<{
    /** The interfaces that were asked on. */
    where: string;
    asked: number;
    /** Why the kernel could not ask; null if it has. */
    refusal: string | null;
  }>({
    text: ({ where, refusal }) =>
      refusal === null ? `no AoE target has answered on ${where}` : `AoE cannot be used: ${refusal}`,
    reasons: ({ asked, refusal }) => (refusal === null ? [`the kernel was asked ${asked} times to look for one`] : []),
    hints: ({ refusal }) =>
      refusal === null
        ? [
            byHand("check that vblade runs on the server, and that both are on one Ethernet: AoE crosses no router"),
            inBootLoader("name the interface: rd.aoe=eth1"),
          ]
        : [inBuilder("add the driver to the image: levain image --network (or --module aoe)")],
  }),
};
