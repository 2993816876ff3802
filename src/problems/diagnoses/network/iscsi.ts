import { CONNECTIONS } from "../../causes/connections.ts";
import { byHand, diagnosis, inBootLoader, inBuilder } from "../../diagnosis.ts";

/** How a login at a target ended. */
export type IscsiOutcome =
  | { readonly kind: "connected" }
  /** An errno name or one of getaddrinfo(3). */
  | { readonly kind: "failed"; readonly code: string }
  /** What iscsistart answered: its exit status and its last line. */
  | { readonly kind: "refused"; readonly status: number; readonly said: string }
  | { readonly kind: "without-program" }
  | { readonly kind: "without-name" };

/** The exit status of iscsistart for an account that the target does not accept (ISCSI_ERR_LOGIN_AUTH_FAILED). */
const AUTH_FAILED = 24;

/** Says how it ended, as a clause. */
export function describeIscsi(outcome: IscsiOutcome): string {
  switch (outcome.kind) {
    case "connected":
      return "connected";
    case "failed":
      return CONNECTIONS[outcome.code] ?? `the connection failed with ${outcome.code}`;
    case "refused":
      return outcome.status === AUTH_FAILED
        ? "the target refused the user name or the password, or this machine"
        : `iscsistart ended with status ${outcome.status}${outcome.said === "" ? "" : ` ("${outcome.said}")`}`;
    case "without-program":
      return "the image has no iscsistart";
    case "without-name":
      return "this machine has no name for iSCSI";
  }
}

const HINTS = {
  connected: [],
  failed: [byHand("check that the server runs, its port and its firewall")],
  refused: [
    inBootLoader("correct rd.iscsi.target.name=, rd.iscsi.username= and rd.iscsi.password="),
    byHand("permit the initiator of this machine at the target"),
  ],
  "without-program": [inBuilder("add it to the image: levain image --network --program /sbin/iscsistart")],
  "without-name": [inBootLoader("give it a name: rd.iscsi.initiator=iqn.…")],
} as const;

/** Disks of iSCSI. */
export const ISCSI_PROBLEMS = {
  "iscsi-not-connected": diagnosis<{ where: string; outcome: IscsiOutcome }>({
    text: ({ where, outcome }) => `${where}: ${describeIscsi(outcome)}`,
    hints: ({ outcome }) => HINTS[outcome.kind],
  }),
};
