import type { Lease } from "../../formats/network/lease.ts";
import type { DhcpSocket, Link } from "../../machine/network/network.ts";
import type { InterfacePlan } from "../../plan/network/plan.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { changesForLease } from "../address-changes.ts";
import { advanceDhcp, type DhcpState, startDhcp } from "../dhcp/client.ts";
import { type Found, tryChange, type Way, type WayTools } from "./way.ts";

/** After how long a packet that the kernel refused is sent again. */
const REFUSED_MS = 100;
/** Packets that are handled before the rest of the boot goes on: a flood must not hold it up. */
const MOST_PACKETS = 64;

/** Asks the servers of the link for a lease. */
export function byDhcp(tools: WayTools, plan: InterfacePlan): Way {
  const { machine, random } = tools;
  let state: DhcpState | null = null;
  let socket: DhcpSocket | null = null;

  function close(): void {
    socket?.close();
    socket = null;
  }

  return {
    advance(link) {
      socket ??= machine.openDhcpSocket(link.index);
      state ??= startDhcp({ mac: link.mac, hostname: tools.hostname }, machine.nowMs(), random);
      const step = advanceDhcp(state, takePackets(socket), machine.nowMs(), random);
      state = step.state;
      const isRefused = !step.send.every((packet) => sendPacket(socket, packet));
      if (isRefused) state = { ...state, sent: Math.max(0, state.sent - 1), dueMs: machine.nowMs() + REFUSED_MS };
      if (state.phase !== "bound" || state.lease === null) return null;
      close();
      return takeLease(tools, plan, link, state.lease);
    },
    dueMs: () => state?.dueMs ?? Number.POSITIVE_INFINITY,
    sockets: () => (socket === null ? [] : [socket]),
    state: () => ((state?.refusals.length ?? 0) > 0 ? "refused" : "no-answer"),
    talk: () => ({ asked: state?.asked ?? 0, refusals: state?.refusals ?? [] }),
    close,
  };
}

/** False if the kernel refuses: an interface that goes down has news of its own, and one that has just got its carrier takes no packets for a moment. */
function sendPacket(socket: DhcpSocket | null, packet: Uint8Array): boolean {
  return unlessRefused(
    () => {
      socket?.send(packet);
      return true;
    },
    () => false,
    "ENETDOWN",
    "ENOBUFS",
    "ENXIO",
  );
}

function takePackets(socket: DhcpSocket): readonly Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let packet = socket.receive(); packet !== null; packet = socket.receive()) {
    packets.push(packet);
    if (packets.length === MOST_PACKETS) break;
  }
  return packets;
}

function takeLease(tools: WayTools, plan: InterfacePlan, link: Link, lease: Lease): Found {
  if (lease.mtu !== null && plan.mtu === null && lease.mtu !== link.mtu) {
    tryChange(tools, link.name, { kind: "set-link", index: link.index, mtu: lease.mtu });
  }
  for (const what of changesForLease(link.index, lease, tools.isLasting)) {
    if (what.kind === "add-address") tools.change(what);
    else tryChange(tools, link.name, what);
  }
  const { address, prefix, nameservers, domain } = lease;
  return {
    method: "dhcp",
    addresses: [{ address, prefix }],
    gateways: lease.routes.flatMap(({ destination, gateway }) => (destination === null ? (gateway ?? []) : [])),
    lease,
    nameservers,
    search: [...new Set([...(domain === null ? [] : [domain]), ...lease.search])],
  };
}
