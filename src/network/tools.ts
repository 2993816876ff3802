import type { Context } from "../drivers/context.ts";
import type { Machine } from "../machine/machine.ts";
import type { NetworkChange } from "../machine/network/network.ts";
import type { NetworkPlan } from "../plan/network/plan.ts";
import type { WayTools } from "./ways/way.ts";

/** Creates what the ways need; what they change is taken back if the boot goes back. */
export function createTools({ machine, voice, undo }: Context, plan: NetworkPlan): WayTools {
  return {
    machine,
    voice,
    random: Math.random,
    change(what) {
      machine.changeNetwork(what);
      const back = takeBack(machine, what);
      if (back !== null) undo(() => machine.changeNetwork(back()));
    },
    hostname: plan.hostname,
    isLasting: plan.carriesRoot,
  };
}

/** Returns what makes the opposite change; null for changes that go with the interface, or that another try can only repeat. */
function takeBack(machine: Machine, what: NetworkChange): (() => NetworkChange) | null {
  switch (what.kind) {
    case "make-link": {
      const index = () => machine.networkState().links.find(({ name }) => name === what.name)?.index ?? 0;
      return () => ({ kind: "remove-link", index: index() });
    }
    case "add-address": {
      const { index, address, prefix } = what;
      return () => ({ kind: "remove-address", index, address, prefix });
    }
    case "set-link": {
      const { index, isUp } = what;
      return isUp === true ? () => ({ kind: "set-link", index, isUp: false }) : null;
    }
    default:
      return null;
  }
}
