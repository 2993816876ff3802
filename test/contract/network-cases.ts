import { equal, ok, throws } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import type { Link, NetworkChange } from "../../src/machine/network/network.ts";
import { isErrno } from "../../src/problems/errors.ts";

/** What the network of a machine does, with one card v0 that is down and has a cable; the fake machine and the kernel behave the same. In order: each goes on where the last one ended. */
export const NETWORK_CASES: Readonly<Record<string, (machine: Machine) => void>> = {
  "an interface that is down has no carrier, and no packet can be sent"(machine) {
    const { isUp, hasCarrier, isEthernet, mtu, kind } = card(machine);
    equal(isUp || hasCarrier, false);
    equal(isEthernet, true);
    equal(mtu, 1500);
    ok(kind === null || kind === "veth");
    const socket = machine.openDhcpSocket(card(machine).index);
    equal(socket.receive(), null);
    throws(() => socket.send(new Uint8Array(300)), refusedWith("ENETDOWN"));
    socket.close();
  },
  "an interface that is set up gets its carrier, which ends a wait"(machine) {
    machine.listenForNetwork();
    machine.networkState();
    change(machine, { kind: "set-link", isUp: true, mtu: 1400 });
    waitUntil(machine, () => card(machine).hasCarrier);
    equal(card(machine).mtu, 1400);
  },
  "a gateway is reached by an address of the interface, or is on the link"(machine) {
    const { index } = card(machine);
    const route = { kind: "add-route", index, destination: null, isIpv6: false } as const;
    const gateway = Uint8Array.of(192, 0, 2, 1);
    throws(() => machine.changeNetwork({ ...route, gateway, isOnLink: false }), refusedWith("ENETUNREACH"));
    const address = { index, address: Uint8Array.of(192, 0, 2, 5), prefix: 24 };
    machine.changeNetwork({ kind: "add-address", ...address, peer: null, broadcast: null, lifetime: null });
    machine.changeNetwork({ ...route, gateway, isOnLink: false });
    const found = machine.networkState().routes.find(({ destination, isIpv6 }) => destination === null && !isIpv6);
    equal(found?.gateway?.join("."), "192.0.2.1");
    const own = machine.networkState().addresses.find((one) => one.address.join(".") === "192.0.2.5");
    equal(own?.isTentative, false);
    machine.changeNetwork({ kind: "remove-address", ...address });
    equal(
      machine.networkState().addresses.some((one) => one.address.join(".") === "192.0.2.5"),
      false,
    );
  },
  "an address whose lifetime is 0 is refused"(machine) {
    const { index } = card(machine);
    const address = { index, address: Uint8Array.of(192, 0, 2, 6), prefix: 24, peer: null, broadcast: null };
    throws(() => machine.changeNetwork({ kind: "add-address", ...address, lifetime: 0 }), refusedWith("EINVAL"));
    machine.changeNetwork({ kind: "add-address", ...address, lifetime: 60 });
    machine.changeNetwork({ kind: "remove-address", ...address });
  },
  "an address of IPv6 is tentative until it is known that no other host has it"(machine) {
    const { index } = card(machine);
    const address = Uint8Array.fromHex("20010db8000000000000000000000077");
    const own = () => machine.networkState().addresses.find((one) => one.address.toHex() === address.toHex());
    machine.changeNetwork({
      kind: "add-address",
      index,
      address,
      prefix: 64,
      peer: null,
      broadcast: null,
      lifetime: null,
    });
    equal(own()?.isTentative, true);
    waitUntil(machine, () => own()?.isTentative === false);
    equal(own()?.isDuplicate, false);
  },
  "what is made has a name of its own, and goes when it is removed"(machine) {
    const bridge = { kind: "make-link", type: "bridge", name: "br0" } as const;
    machine.changeNetwork(bridge);
    throws(() => machine.changeNetwork(bridge), refusedWith("EEXIST"));
    const made = machine.networkState().links.find(({ name }) => name === "br0");
    equal(made?.kind, "bridge");
    change(machine, { kind: "set-link", master: made?.index ?? 0 });
    equal(card(machine).master, made?.index);
    machine.changeNetwork({ kind: "remove-link", index: made?.index ?? 0 });
    equal(card(machine).master, null);
    throws(() => machine.changeNetwork({ kind: "remove-link", index: made?.index ?? 0 }), refusedWith("ENODEV"));
  },
  "routes go when the interface is set down, and it can be renamed then"(machine) {
    change(machine, { kind: "set-link", isUp: false });
    change(machine, { kind: "set-link", name: "lan0" });
    const { links, routes } = machine.networkState();
    const renamed = links.find(({ name }) => name === "lan0");
    equal(renamed?.isUp, false);
    equal(
      routes.some(({ index }) => index === renamed?.index),
      false,
    );
  },
};

function card(machine: Machine): Link {
  const link = machine.networkState().links.find(({ name }) => name === "v0");
  ok(link !== undefined);
  return link;
}

function change(machine: Machine, what: Omit<Extract<NetworkChange, { kind: "set-link" }>, "index">): void {
  machine.changeNetwork({ ...what, index: card(machine).index });
}

function waitUntil(machine: Machine, isDone: () => boolean): void {
  const deadlineMs = machine.nowMs() + 10_000;
  while (!isDone()) {
    const leftMs = deadlineMs - machine.nowMs();
    ok(leftMs > 0, "it did not happen within 10 s");
    machine.waitForNetwork([], leftMs);
  }
}

function refusedWith(code: string) {
  return (error: unknown) => isErrno(error, code);
}
