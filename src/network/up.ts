import type { Lease } from "../formats/network/lease.ts";
import type { AddressSetting } from "../parameters/network/fields.ts";
import type { AddressMethod } from "../plan/network/plan.ts";

/** An interface that the boot has brought up. */
export interface UpInterface {
  readonly name: string;
  /** The kernel's number for it. */
  readonly index: number;
  readonly mac: string;
  /** How it got its addresses: "any" of the plan is decided here. */
  readonly method: Exclude<AddressMethod, "any">;
  /** At least one, but none of "link". */
  readonly addresses: readonly AddressSetting[];
  readonly gateways: readonly string[];
  /** Of DHCP; null for the other methods. */
  readonly lease: Lease | null;
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
}

/** The network as the boot has brought it up. */
export interface NetworkUp {
  /** At least one. */
  readonly interfaces: readonly UpInterface[];
  /** Those of the plan first. */
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly hostname: string | null;
  readonly timeServers: readonly string[];
}
