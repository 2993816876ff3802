import { formatMac, parseMac } from "../formats/network/addresses.ts";
import type { DhcpSocket, Link, NetworkState } from "../machine/network/network.ts";
import type { InterfacePlan } from "../plan/network/plan.ts";
import type { InterfaceReport, LinkTrouble } from "../problems/diagnoses/network/network.ts";
import { unlessRefused } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import type { UpInterface } from "./up.ts";
import { byDhcp } from "./ways/by-dhcp.ts";
import { byKernel, eitherWay } from "./ways/by-kernel.ts";
import { byPlan, LINK_ALONE } from "./ways/by-plan.ts";
import { tryChange, type Way, type WayTools } from "./ways/way.ts";

/** Without ip=, DHCP has this long before an address of IPv6 alone counts. */
const DHCP_FIRST_MS = 5000;

/** One interface on its way to an address. */
export interface Attempt {
  readonly index: number;
  readonly plan: InterfacePlan;
  /** Goes on as far as it can without waiting. */
  advance(link: Link, state: NetworkState): void;
  /** null while it has no address. */
  result(): UpInterface | null;
  /** The time at which it goes on even if nothing happens; infinite if there is none. */
  dueMs(): number;
  sockets(): readonly DhcpSocket[];
  report(): InterfaceReport;
  close(): void;
}

/** Creates an attempt; `first` is the interface as it is. */
export function createAttempt(tools: WayTools, plan: InterfacePlan, first: Link): Attempt {
  let link = first;
  let way: Way | null = null;
  let result: UpInterface | null = null;
  let isRefused = false;

  /** Without a carrier everything begins again when there is one: another cable may lead to another network. */
  function stop(): void {
    way?.close();
    way = null;
  }

  function goOn(state: NetworkState): void {
    if (!link.isUp) {
      setUp(tools, plan, link);
      return;
    }
    if (!link.hasCarrier) {
      stop();
      return;
    }
    way ??= chooseWay(tools, plan);
    const found = way.advance(link, state);
    if (found === null) return;
    result = { name: link.name, index: link.index, mac: formatMac(link.mac), ...found };
    stop();
  }

  return {
    index: first.index,
    plan,
    advance(now, state) {
      link = now;
      if (result !== null || isRefused) return;
      unlessRefused(
        () => goOn(state),
        (refusal) => {
          tools.voice.warn(`the kernel cannot use ${link.name}: ${describeRefusal(refusal)}`);
          isRefused = true;
          stop();
        },
      );
    },
    result: () => result,
    dueMs: () => way?.dueMs() ?? Number.POSITIVE_INFINITY,
    sockets: () => way?.sockets() ?? [],
    report() {
      const { asked, refusals } = way?.talk() ?? { asked: 0, refusals: [] };
      const state = isRefused ? "unusable" : stateOf(link, way);
      return { name: link.name, state: result === null ? state : "up", asked, refusals };
    },
    close: stop,
  };
}

function stateOf({ isUp }: Link, way: Way | null): LinkTrouble {
  if (way !== null) return way.state();
  return isUp ? "no-carrier" : "down";
}

function chooseWay(tools: WayTools, plan: InterfacePlan): Way {
  switch (plan.method) {
    case "static":
      return byPlan(tools, plan);
    case "link":
      return LINK_ALONE;
    case "dhcp":
      return byDhcp(tools, plan);
    case "any":
      return eitherWay(tools, byDhcp(tools, plan), byKernel(tools, "auto6"), DHCP_FIRST_MS);
    default:
      return byKernel(tools, plan.method);
  }
}

/** Sets an interface up that is down: the only time at which every driver lets its hardware address change. */
function setUp(tools: WayTools, plan: InterfacePlan, { index, name, mac }: Link): void {
  const wanted = plan.mac === null ? null : parseMac(plan.mac);
  if (wanted !== null && formatMac(mac) !== plan.mac) tryChange(tools, name, { kind: "set-link", index, mac: wanted });
  if (plan.mtu !== null) tryChange(tools, name, { kind: "set-link", index, mtu: plan.mtu });
  tools.change({ kind: "set-link", index, isUp: true });
}
