import type { DhcpSocket, Networks } from "../../src/machine/network/network.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { FakeNetwork } from "./fake-network.ts";

/** The calls of the network, for which waiting moves the clock. */
export function createFakeNetworks(kernel: FakeKernel, network: FakeNetwork): Networks {
  const isNews = (sockets: readonly DhcpSocket[]) =>
    network.hasNews || sockets.some((socket) => (network.received.get(socket)?.length ?? 0) > 0);
  return {
    listenForNetwork: () => undefined,
    networkState() {
      network.hasNews = false;
      return {
        links: network.links.map(({ card: _, ...link }) => ({ ...link })),
        addresses: network.addresses.map((one) => ({ ...one })),
        routes: [...network.routes],
      };
    },
    advertisedDns: () => [],
    changeNetwork: (what) => network.change(what),
    openDhcpSocket(index) {
      const socket: DhcpSocket = {
        send: (packet) => network.send(index, socket, packet),
        receive: () => network.received.get(socket)?.shift() ?? null,
        close: () => void network.received.delete(socket),
      };
      network.received.set(socket, []);
      return socket;
    },
    waitForNetwork(sockets, timeoutMs) {
      const deadlineMs = timeoutMs === null ? Number.POSITIVE_INFINITY : kernel.nowMs + Math.max(0, timeoutMs);
      for (;;) {
        if (isNews(sockets) || kernel.devices.hasEvent() || kernel.hearAnswer()) return;
        const nextMs = Math.min(kernel.nextArrivalMs ?? Number.POSITIVE_INFINITY, deadlineMs);
        if (nextMs === Number.POSITIVE_INFINITY) throw new Error("FakeMachine: waits for ever for the network");
        if (kernel.nowMs >= deadlineMs) return;
        kernel.waitUntil(nextMs);
      }
    },
  };
}
