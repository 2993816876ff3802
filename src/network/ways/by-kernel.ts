import { formatAddress, isLinkLocal } from "../../formats/network/addresses.ts";
import { isUsable, WAITS_FOR_KERNEL, type Way, type WayTools } from "./way.ts";

/** Waits for the addresses of IPv6 that the kernel makes: of a router advertisement, or the link-local one. */
export function byKernel({ machine }: WayTools, kind: "auto6" | "link-local"): Way {
  return {
    ...WAITS_FOR_KERNEL,
    advance({ index, name }, { addresses, routes }) {
      const isWanted = kind === "auto6";
      const found = addresses.filter(
        (one) => one.index === index && one.address.length === 16 && one.isGlobal === isWanted && isUsable(one),
      );
      if (found.length === 0) return null;
      const advertised = machine.advertisedDns().filter((one) => one.index === index);
      return {
        method: kind,
        addresses: found.map(({ address, prefix }) => ({ address: formatAddress(address), prefix })),
        gateways: routes
          .filter((route) => route.index === index && route.isIpv6 && route.destination === null)
          .flatMap(({ gateway }) => (gateway === null ? [] : formatAddress(gateway))),
        lease: null,
        nameservers: unique(advertised.flatMap(({ servers }) => servers.map((server) => formatServer(server, name)))),
        search: unique(advertised.flatMap(({ domains }) => domains)),
      };
    },
    state: () => (kind === "auto6" ? "no-router" : "tentative"),
  };
}

/** resolv.conf(5): a link-local address is followed by its interface. */
function formatServer(server: Uint8Array, name: string): string {
  return `${formatAddress(server)}${isLinkLocal(server) ? `%${name}` : ""}`;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

/** Of two ways the first, and only after `patienceMs` the second too. */
export function eitherWay(tools: WayTools, first: Way, second: Way, patienceMs: number): Way {
  const endMs = tools.machine.nowMs() + patienceMs;
  const isOver = () => tools.machine.nowMs() >= endMs;
  return {
    advance: (link, state) => first.advance(link, state) ?? (isOver() ? second.advance(link, state) : null),
    dueMs: () => (isOver() ? first.dueMs() : Math.min(first.dueMs(), endMs)),
    sockets: first.sockets,
    state: first.state,
    talk: first.talk,
    close() {
      first.close();
      second.close();
    },
  };
}
