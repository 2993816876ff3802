import { describe, expect, test } from "bun:test";
import { formatPlan } from "../../../src/plan/format-plan.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import type { InterfacePlan } from "../../../src/plan/network/plan.ts";
import { BootError } from "../../../src/problems/errors.ts";

const plan = (words: string) =>
  makePlan({ cmdline: `root=LABEL=R rd.neednet=1 ${words}`, manifest: null }).plan.network;

function seenOf(cmdline: string) {
  try {
    return { mistakes: [], ...makePlan({ cmdline, manifest: null }) };
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return { mistakes: error.seen, plan: null, warnings: [] };
  }
}

const NOTHING: InterfacePlan = { name: null, method: "dhcp", addresses: [], gateways: [], mtu: null, mac: null };
const fixed = (address: string, prefix: number, peer: string | null = null) => ({ address, prefix, peer });
const STATIC: Partial<InterfacePlan> = {
  name: "eth0",
  method: "static",
  addresses: [fixed("192.0.2.5", 24)],
  gateways: ["192.0.2.1"],
};

// Documentation/admin-guide/nfs/nfsroot.rst, dracut.cmdline(7), systemd-network-generator(8).
describe("interfaces", () => {
  test.each([
    ["", [{ method: "any" }]],
    ["ip=dhcp", [{}]],
    ["ip=on", [{}]],
    ["ip=any", [{}]],
    ["ip=auto6", [{ method: "auto6" }]],
    ["ip=either6", [{ method: "auto6" }]],
    ["ip=link-local", [{ method: "link-local" }]],
    ["ip=eth0:dhcp", [{ name: "eth0" }]],
    ["ip=eth0:dhcp:1400", [{ name: "eth0", mtu: 1400 }]],
    ["ip=eth0:dhcp:1400:52:54:00:12:34:56", [{ name: "eth0", mtu: 1400, mac: "52:54:00:12:34:56" }]],
    ["ip=eth0:dhcp::52:54:00:12:34:56", [{ name: "eth0", mac: "52:54:00:12:34:56" }]],
    ["ip=::::::dhcp", [{}]],
    ["ip=:::::eth0:dhcp", [{ name: "eth0" }]],
    ["ip=::::host:eth0:on", [{ name: "eth0" }]],
    ["ip=192.0.2.5::192.0.2.1:255.255.255.0:host:eth0:none", [STATIC]],
    ["ip=192.0.2.5::192.0.2.1:255.255.255.0:host:eth0:off", [STATIC]],
    ["ip=192.0.2.5::192.0.2.1:24:host:eth0", [STATIC]],
    ["ip=192.0.2.5/24::192.0.2.1::host:eth0:none", [STATIC]],
    ["ip=192.0.2.5:192.0.2.9:192.0.2.1:24:host:eth0:none:9000", [{ ...STATIC, mtu: 9000 }]],
    [
      "ip=192.0.2.5::192.0.2.1:24:h:eth0:none:1400:52:54:00:12:34:56",
      [{ ...STATIC, mtu: 1400, mac: "52:54:00:12:34:56" }],
    ],
    ["ip=192.0.2.5::192.0.2.1:24:h:eth0:none:192.0.2.53:192.0.2.54:192.0.2.4", [STATIC]],
    ["ip=192.0.2.5", [{ method: "static", addresses: [fixed("192.0.2.5", 24)] }]],
    ["ip=10.1.2.3", [{ method: "static", addresses: [fixed("10.1.2.3", 8)] }]],
    [
      "ip=10.0.0.2:10.0.0.1:10.0.0.1:255.255.255.255::eth0:none",
      [{ name: "eth0", method: "static", addresses: [fixed("10.0.0.2", 32, "10.0.0.1")], gateways: ["10.0.0.1"] }],
    ],
    [
      "ip=[2001:db8::5]::[2001:db8::1]:64::eth1:none",
      [{ name: "eth1", method: "static", addresses: [fixed("2001:db8::5", 64)], gateways: ["2001:db8::1"] }],
    ],
    [
      "ip=192.0.2.5::192.0.2.1:24::eth0:none ip=[2001:DB8:0:0::5/48]::::host:eth0:none",
      [{ ...STATIC, addresses: [fixed("192.0.2.5", 24), fixed("2001:db8::5", 48)] }],
    ],
    ["ip=eth0:dhcp ip=eth1:auto6", [{ name: "eth0" }, { name: "eth1", method: "auto6" }]],
    ["ip=eth0:dhcp ip=eth1:off", [{ name: "eth0" }]],
  ] satisfies readonly (readonly [string, readonly Partial<InterfacePlan>[]])[])("%s", (words, interfaces) => {
    expect(plan(words).interfaces).toEqual(interfaces.map((one) => ({ ...NOTHING, ...one })));
  });
});

test("the fields of ip= besides the address", () => {
  expect(plan("ip=192.0.2.5:192.0.2.9:192.0.2.1:24:host:eth0:none:192.0.2.53:0.0.0.0:192.0.2.4")).toMatchObject({
    hostname: "host",
    nameservers: ["192.0.2.53"],
    timeServers: ["192.0.2.4"],
  });
});

test("links, names, routes and servers", () => {
  const words =
    "bridge=br0:vlan0005 vlan=vlan0005:bond0 bond=bond0:eth0,eth1:mode=802.3ad,miimon=100:9000 ifname=lan0:52-54-00-12-34-57 " +
    "BOOTIF=01-52-54-00-AB-34-56 nameserver=[2001:db8::53] nameserver=192.0.2.53 rd.peerdns=0 rd.net.timeout=0 " +
    "rd.route=[2001:db8:3::/48]:[2001:db8::1]:br0 rd.route=198.51.100.0/24:192.0.2.1 rd.route=203.0.113.0/24::br0";
  expect(plan(words)).toMatchObject({
    made: [
      {
        kind: "bond",
        name: "bond0",
        members: ["eth0", "eth1"],
        options: { mode: "802.3ad", miimon: "100" },
        mtu: 9000,
      },
      { kind: "vlan", name: "vlan0005", id: 5, members: ["bond0"] },
      { kind: "bridge", name: "br0", members: ["vlan0005"] },
    ],
    names: [{ name: "lan0", mac: "52:54:00:12:34:57" }],
    bootMac: "52:54:00:ab:34:56",
    nameservers: ["2001:db8::53", "192.0.2.53"],
    ignoresPeerDns: true,
    timeoutMs: null,
    routes: [
      { destination: { address: "2001:db8:3::", prefix: 48 }, gateway: "2001:db8::1", interface: "br0" },
      { destination: { address: "198.51.100.0", prefix: 24 }, gateway: "192.0.2.1", interface: null },
      { destination: { address: "203.0.113.0", prefix: 24 }, gateway: null, interface: "br0" },
    ],
  });
  const bond = { name: "bond0", members: ["eth0", "eth1"], options: { mode: "balance-rr" } };
  expect(plan("bond")).toMatchObject({ made: [bond] });
  expect(plan("bridge")).toMatchObject({ made: [{ name: "br0", members: ["eth0"] }] });
});

describe("mistakes", () => {
  const MISTAKES = [
    ["ip=x", "Expected dhcp, auto6, off"],
    ["ip=dhcp6", "ip=dhcp6 is not supported yet"],
    ["ip=192.0.2.5::192.0.2.1:255.0.255.0::eth0:none", "Expected a netmask"],
    ["ip=192.0.2.300:::::eth0:none", "Expected"],
    ["ip=192.0.2.5::::a/b:eth0:none", "host name"],
    ["ip=192.0.2.5:::::a/b:none", "name of a network interface"],
    ["ip=eth0:dhcp:9", "an MTU"],
    ["ip=eth0:dhcp:1500:52:54", "a hardware address"],
    ["vlan=lan:eth0", "number of the VLAN"],
    ["vlan=vlan4095:eth0", "from 0 to 4094"],
    ["bond=b:eth0:mode", "options of bonding"],
    ["bridge=br0:br0", "made of itself"],
    ["bridge=x vlan=x5:eth0 bond=x5:eth1", "two interfaces cannot have this name"],
    ["bond=bond0:eth0,eth1 bridge=br0:eth1", "eth1: it cannot belong to two interfaces"],
    ["ifname=lan0:52:54:00:00:00:01 ifname=lan0:52:54:00:00:00:02", "ifname=lan0: two interfaces cannot have one name"],
    [
      "ifname=a:52:54:00:00:00:01 ifname=b:52:54:00:00:00:01",
      "ifname=NAME:52:54:00:00:00:01: one interface cannot have two names",
    ],
    ["ifname=lan%d:52:54:00:00:00:01", "the name of a network interface"],
    ["ifname=lan0", "hardware address"],
    ["nameserver=x", "IP address"],
    ["rd.route=198.51.100.0:192.0.2.1", "NETWORK/PREFIX"],
    ["BOOTIF=20-52-54-00-12-34-56", "hardware address"],
  ] as const;
  test.each(MISTAKES)("%s stops a boot that cannot go on without the network", (words, expected) => {
    for (const needing of ["root=https://boot.example/root.sfs", "root=LABEL=R rd.config=https://boot.example/x"]) {
      const { mistakes } = seenOf(`${needing} ${words}`);
      expect(mistakes.join("\n")).toContain(expected);
    }
  });

  test.each(MISTAKES)("%s is a warning where only rd.neednet=1 asks for the network", (words, expected) => {
    const { mistakes, plan: made, warnings } = seenOf(`root=LABEL=R rd.neednet=1 ${words}`);
    expect(mistakes).toEqual([]);
    expect(made?.network.isNeeded).toBe(false);
    expect(warnings.join("\n")).toContain(expected);
    expect(warnings.join("\n")).toEndWith("going on without the network");
  });

  test.each(MISTAKES)("%s is no mistake where the network is not needed", (words) => {
    expect(makePlan({ cmdline: `root=LABEL=R ${words}`, manifest: null }).plan.network.isNeeded).toBe(false);
  });
});

test("a proxy that is none is a mistake before the configuration is downloaded", () => {
  const { mistakes } = seenOf("root=LABEL=R rd.config=https://boot.example/x rd.proxy=x");
  expect(mistakes.join()).toContain('Expected http://HOST:PORT but received "x"');
});

test("parameters without a network that needs them are named", () => {
  const warningsOf = (cmdline: string) => makePlan({ cmdline, manifest: null }).warnings;
  const why = "nothing of this boot lies on the network; rd.neednet=1 brings it up";
  expect(warningsOf("root=LABEL=R ip=dhcp")).toEqual([`ip= is not used: ${why}`]);
  expect(warningsOf("root=LABEL=R ip=dhcp vlan=vlan5:eth0")).toEqual([`ip=, vlan= are not used: ${why}`]);
  expect(warningsOf("root=LABEL=R BOOTIF=01-52-54-00-12-34-56")).toEqual([]);
  expect(warningsOf("root=LABEL=R rd.neednet=1 ip=off")).toEqual([]);
  expect(plan("ip=off").isNeeded).toBe(false);
});

test("levain plan shows the network, if it is needed", () => {
  const lines = (cmdline: string) => formatPlan(makePlan({ cmdline, manifest: null }).plan);
  expect(lines("root=LABEL=R").filter((line) => line.startsWith("network"))).toEqual([]);
  expect(
    lines("root=LABEL=R rd.neednet=1 ip=192.0.2.5::192.0.2.1:24:host:vlan5:none vlan=vlan5:eth0 nameserver=192.0.2.53"),
  ).toEqual(
    expect.arrayContaining([
      "interface   vlan5: VLAN 5 on eth0",
      "network     vlan5: 192.0.2.5/24, gateway 192.0.2.1",
      "DNS servers 192.0.2.53",
      "host name   host",
      "net timeout at most 60 s, then the boot goes on without it",
    ]),
  );
});
