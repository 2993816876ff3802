import type { Machine } from "../../machine/machine.ts";
import type { DhcpSocket, Link, NetworkChange, NetworkState } from "../../machine/network/network.ts";
import type { LinkTrouble } from "../../problems/diagnoses/network/network.ts";
import { isErrno } from "../../problems/errors.ts";
import { describeRefusal } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import type { Random } from "../dhcp/client.ts";
import type { UpInterface } from "../up.ts";

/** What a way to an address needs. */
export interface WayTools {
  readonly machine: Machine;
  readonly voice: Voice;
  readonly random: Random;
  /** Makes a change that is taken back if the boot goes back. */
  readonly change: (change: NetworkChange) => void;
  /** rd.net host name that DHCP sends; null: none. */
  readonly hostname: string | null;
  /** Addresses do not end with their lease. */
  readonly isLasting: boolean;
}

/** What a way has found: an interface without what every interface has. */
export type Found = Omit<UpInterface, "name" | "index" | "mac">;

/** Why there is no address yet. */
type WayState = Exclude<LinkTrouble, "down" | "no-carrier" | "unusable" | "up">;

/** A way to an address, on one interface that has a carrier. */
export interface Way {
  /** Goes on as far as it can without waiting; null: there is no address yet. */
  advance(link: Link, state: NetworkState): Found | null;
  /** The time at which it goes on even if nothing happens; infinite if there is none. */
  dueMs(): number;
  sockets(): readonly DhcpSocket[];
  state(): WayState;
  /** Messages of DHCP that were sent, and servers that refused. */
  talk(): { readonly asked: number; readonly refusals: readonly string[] };
  close(): void;
}

/** The parts of a way that only waits for the kernel. */
export const WAITS_FOR_KERNEL: Pick<Way, "dueMs" | "sockets" | "talk" | "close"> = {
  dueMs: () => Number.POSITIVE_INFINITY,
  sockets: () => [],
  talk: () => ({ asked: 0, refusals: [] }),
  close: () => undefined,
};

/** Makes a change that the kernel may refuse with little harm: a route, an MTU that the card does not have. */
export function tryChange({ voice, change }: WayTools, name: string, what: NetworkChange): void {
  try {
    change(what);
  } catch (error) {
    if (!isErrno(error)) throw error;
    const of = what.kind === "add-route" ? "a route" : "its settings";
    voice.warn(`${name}: the kernel refused ${of}: ${describeRefusal(error)}`);
  }
}

/** True for an address that can be used: of IPv6, no other host has it. */
export function isUsable({ isTentative, isDuplicate, address }: NetworkState["addresses"][number]): boolean {
  return address.length === 4 || (!isTentative && !isDuplicate);
}
