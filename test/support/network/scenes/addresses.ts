import { rootImage } from "../../fake-boot.ts";
import { fakeDhcpServer } from "../../fake-dhcp-server.ts";
import type { FakeCard } from "../../fake-network.ts";
import type { Scenes } from "./scene.ts";

const dhcp = [fakeDhcpServer()];
const card = (name: string, mac: string, more: Partial<FakeCard> = {}): FakeCard => ({ name, mac, ...more });
const ETH0 = card("eth0", "52:54:00:12:34:56", { servers: dhcp });
const ETH1 = card("eth1", "52:54:00:00:00:02", { servers: [fakeDhcpServer({ address: "192.0.2.9" })] });
const ROUTER = {
  afterMs: 200,
  address: Uint8Array.fromHex("20010db8000000000000000000000005"),
  gateway: Uint8Array.fromHex("fe800000000000000000000000000001"),
};
const BONDING = { "/class/net/bond0/bonding/mode": "", "/class/net/bond0/bonding/miimon": "" };
const NO_CABLE = { carrierAtMs: Number.POSITIVE_INFINITY };

/** The first table of docs/network.md: a root on a disk, and the network besides. */
export const ADDRESS_SCENES: Scenes = {
  before: "root=LABEL=ROOT rd.neednet=1",
  machine: { cards: [ETH0], disks: [{ name: "vda", image: rootImage() }] },
  lines: {
    "DHCP on whatever card has a cable": {
      machine: { cards: [{ ...ETH0, ...NO_CABLE }, ETH1] },
      proof: "network   eth1 192.0.2.9/24 by DHCP",
    },
    "DHCP on one card": { machine: { cards: [ETH0, ETH1] }, proof: "network   eth0 192.0.2.50/24 by DHCP" },
    "the card that PXE has booted from": {
      write: ([needed]) => [`${needed} BOOTIF=01-52-54-00-00-00-02`],
      machine: { cards: [ETH0, ETH1] },
      proof: "network   eth1 192.0.2.9/24 by DHCP",
    },
    "a static address": {
      proof: /add 192\.0\.2\.5\/24 to 2 .*\nroute default on 2 via 192\.0\.2\.1\n[\s\S]*write \/etc\/resolv\.conf/,
    },
    "a static address, shorter": { proof: "network   eth0 192.0.2.5/24 static, gateway 192.0.2.1" },
    "a rented server with a /32, whose gateway is in no network": {
      proof: "add 203.0.113.7/32 to 2\nroute default on 2 via 192.0.2.1 onlink",
    },
    "IPv6 by router advertisement": {
      machine: { cards: [{ ...ETH0, servers: [], router: ROUTER }] },
      proof: "network   eth0 2001:db8::5/64 by router advertisement",
    },
    "a static address of IPv6": { proof: "network   eth0 2001:db8::5/64 static, gateway 2001:db8::1" },
    both: { proof: "network   eth0 192.0.2.50/24 by DHCP" },
    "another MTU": { proof: "set interface 2 mtu=9000" },
    "VLAN 5": { proof: "make vlan vlan5 5 on 2" },
    // The model has no server behind a VLAN, a bond or a bridge: real ones are in test/vm and test/unit/network.
    "a bond": {
      machine: { cards: [ETH0, ETH1], sys: BONDING },
      proof: /make bond bond0\n[\s\S]*bonding\/mode\n[\s\S]*set interface 2 master=4\n[\s\S]*set interface 3 master=4/,
    },
    "a bridge": { proof: /make bridge br0\n[\s\S]*set interface 2 master=3/ },
    "a stable name for a card": { proof: "network   lan0 192.0.2.50/24 by DHCP" },
    "one more route": {
      write: ([route]) => [`${route} ip=192.0.2.5/24::192.0.2.1:::eth0:none`],
      proof: "route 198.51.100.0/24 on 2 via 192.0.2.1",
    },
    "more patience, for a switch with spanning tree": {
      machine: { cards: [{ ...ETH0, carrierAtMs: 100_000 }] },
      proof: /network {3}eth0 192\.0\.2\.50\/24 by DHCP.* 99010 ms/,
    },
  },
};
