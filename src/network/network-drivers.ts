import type { Context } from "../drivers/context.ts";
import type { Machine } from "../machine/machine.ts";
import { listOrNone, readText } from "../machine/small-files.ts";
import type { NetworkPlan } from "../plan/network/plan.ts";
import { orIfRefused } from "../problems/errors.ts";
import { MADE_MODULES } from "./made-links.ts";

/** Drivers of buses announce cards that need another driver: a card on USB, a function of a card. */
const MOST_ROUNDS = 4;

/** Loads the drivers of network cards and of what the plan makes. A module that the kernel has built in is no error. */
export function loadNetworkDrivers({ machine, drivers }: Context, plan: NetworkPlan): void {
  // The socket of DHCP, and IPv6, are modules on some kernels (Alpine's).
  for (const name of ["af_packet", "ipv6"]) drivers.loadByName(name);
  for (const kind of new Set(plan.made.map((one) => one.kind))) drivers.loadByName(MADE_MODULES[kind]);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = machine.networkState().links.length;
    drivers.loadNetwork();
    if (round > 0 && machine.networkState().links.length === before) return;
  }
}

/** PCI class 0x02: network controllers. */
const NETWORK_CLASS = /^0x02/;

/** Returns the network cards on PCI that have no driver, as "PCI 0000:00:03.0 [8086:100e]". */
export function findDriverless(machine: Machine): readonly string[] {
  const bus = "/sys/bus/pci/devices";
  return listOrNone(machine, bus).flatMap((name) => {
    const read = (file: string) => orIfRefused(() => readText(machine, `${bus}/${name}/${file}`).trim(), "");
    const isBare = NETWORK_CLASS.test(read("class")) && machine.lstat(`${bus}/${name}/driver`) === null;
    return isBare ? [`the network card on PCI ${name} [${read("vendor").slice(2)}:${read("device").slice(2)}]`] : [];
  });
}
