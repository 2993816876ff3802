import { formatAddress } from "../../formats/network/addresses.ts";
import type { NetworkState } from "../../machine/network/network.ts";
import type { InterfacePlan } from "../../plan/network/plan.ts";
import { changesForStatic } from "../address-changes.ts";
import { isUsable, tryChange, WAITS_FOR_KERNEL, type Way, type WayTools } from "./way.ts";

/** Sets the static addresses of the plan, and waits until the kernel knows that no other host has those of IPv6. */
export function byPlan(tools: WayTools, plan: InterfacePlan): Way {
  let isSet = false;
  let isDuplicate = false;
  const addresses = plan.addresses.map(({ address, prefix }) => ({ address, prefix }));

  return {
    ...WAITS_FOR_KERNEL,
    advance(link, before) {
      const changes = Object.groupBy(changesForStatic(link.index, plan), ({ kind }) => kind);
      if (!isSet) changes["add-address"]?.forEach(tools.change);
      const own = ownAddresses(isSet ? before : tools.machine.networkState(), link.index);
      isSet = true;
      isDuplicate = own.some((one) => one.isDuplicate);
      const isReady = addresses.every(({ address }) =>
        own.some((one) => isUsable(one) && formatAddress(one.address) === address),
      );
      if (!isReady) return null;
      // A route of IPv6 needs a source address that is not tentative any more.
      for (const what of changes["add-route"] ?? []) tryChange(tools, link.name, what);
      return { method: "static", addresses, gateways: plan.gateways, lease: null, nameservers: [], search: [] };
    },
    state: () => (isDuplicate ? "duplicate" : "tentative"),
  };
}

function ownAddresses({ addresses }: NetworkState, index: number): NetworkState["addresses"] {
  return addresses.filter((one) => one.index === index);
}

/** The way of an interface that needs no address: its carrier is enough. */
export const LINK_ALONE: Way = {
  ...WAITS_FOR_KERNEL,
  advance: () => ({ method: "link", addresses: [], gateways: [], lease: null, nameservers: [], search: [] }),
  state: () => "tentative",
};
