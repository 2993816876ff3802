import { describe, expect, test } from "bun:test";
import { describeStatus } from "../../src/rescue/commands/status.ts";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";
import type { FakeCard } from "../support/fake-network.ts";

const MAC = "52:54:00:12:34:56";
const CARD: FakeCard = { name: "eth0", mac: MAC, servers: [fakeDhcpServer()] };
const ROOT = "root=LABEL=ROOT rd.neednet=1";

function boot(cmdline: string, cards: readonly FakeCard[], more: FakeBootOptions = {}) {
  return fakeBoot({
    cmdline,
    cards,
    disks: [{ name: "vda", image: rootImage() }],
    ...more,
  });
}

const changes = (journal: readonly string[]) =>
  journal.filter((line) =>
    /^(?:set interface|make \w+ \w+|add \S+ to|route |remove (?:interface|\S+ from)|write \/sys\/class\/net)/.test(
      line,
    ),
  );

test("a root on a disk does not wait for the network", () => {
  const { end, journal } = boot("root=LABEL=ROOT ip=dhcp", [{ ...CARD, carrierAtMs: Number.POSITIVE_INFINITY }]);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(changes(journal)).toEqual([]);
});

test("rd.neednet=1 brings the first card up by DHCP", () => {
  const { end, journal, console, record } = boot(ROOT, [CARD]);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(changes(journal)).toEqual([
    "set interface 1 isUp=true",
    "set interface 2 isUp=true",
    "add 192.0.2.50/24 to 2 broadcast 192.0.2.255 for 3600 s",
    "route default on 2 via 192.0.2.1",
  ]);
  expect(console).toContain("eth0 192.0.2.50/24 by DHCP from 192.0.2.1, gateway 192.0.2.1");
  expect(record.steps.find(({ name }) => name === "network")?.outcome).toBe("done");
});

test("of several cards, the first with a lease wins, and the others are set down again", () => {
  const { journal, console } = boot(ROOT, [
    { name: "eth0", mac: "52:54:00:00:00:01", carrierAtMs: Number.POSITIVE_INFINITY },
    { name: "eth1", mac: "52:54:00:00:00:02" },
    { name: "eth2", mac: "52:54:00:00:00:03", servers: [fakeDhcpServer({ address: "192.0.2.7" })] },
  ]);
  expect(console).toContain("eth2 192.0.2.7/24");
  expect(changes(journal).slice(-2)).toEqual(["set interface 2 isUp=false", "set interface 3 isUp=false"]);
});

test("a card that the kernel cannot use is left, and another one counts", () => {
  const cards = [
    { ...CARD, servers: [fakeDhcpServer({ address: "192.0.2.66" })] },
    { name: "eth1", mac: "52:54:00:00:00:02", servers: [fakeDhcpServer({ delayMs: 50 })] },
  ];
  for (const call of ["set interface 2 isUp=true", "add 192.0.2.66"]) {
    const before: FakeBootOptions["before"] = (machine) => machine.refuse("changeNetwork", call, "ENOENT");
    const { end, console } = boot(ROOT, cards, { before });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain("the kernel cannot use eth0: no such file or directory (ENOENT)");
    expect(console).toContain("eth1 192.0.2.50/24 by DHCP");
    const alone = boot(`${ROOT} rd.net.timeout=0`, cards.slice(0, 1), { before });
    expect(alone.console).toContain("the network did not come up within 0 s, going on without it: eth0 cannot be used");
    expect(boot(`${ROOT} ip=eth0:dhcp`, cards, { before }).console).toContain("eth0 cannot be used");
  }
});

describe("what is waited for is said within 5 s", () => {
  test.each([
    [
      "a cable that comes late",
      [{ ...CARD, carrierAtMs: 9000 }],
      "waiting for the network, 3 of 60 s · seen: eth0 has no carrier",
    ],
    [
      "a card that comes late",
      [{ ...CARD, arrivesAtMs: 9000 }],
      "waiting for the network, 3 of 15 s · seen: no network interface, and no driver is left that could bring one",
    ],
    [
      "a server that comes late",
      [{ ...CARD, servers: [fakeDhcpServer({ drops: 3 })] }],
      "eth0 has a carrier, but no DHCP server has answered",
    ],
    [
      "a server that refuses",
      [{ ...CARD, servers: [fakeDhcpServer({ refuses: 4 })] }],
      "eth0 has a carrier, but the DHCP server 192.0.2.1 refuses a lease",
    ],
  ] satisfies readonly (readonly [string, readonly FakeCard[], string])[])("%s", (_, cards, line) => {
    const { end, console, record } = boot(ROOT, cards);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain("eth0 192.0.2.50/24 by DHCP");
    const said = record.messages.find(({ text }) => text.includes(line));
    const step = record.steps.find(({ name }) => name === "network");
    expect((said?.atMs ?? Number.NaN) - (step?.startMs ?? 0)).toBeLessThan(5000);
  });
});

test("a NAK begins again, and another server is preferred to one that refuses", () => {
  const bad = fakeDhcpServer({ server: "192.0.2.2", address: "192.0.2.66", refuses: 1000, delayMs: 1 });
  const good = fakeDhcpServer({ delayMs: 20 });
  const { console, endMs } = boot(ROOT, [{ ...CARD, servers: [bad, good] }]);
  expect(console).toContain("eth0 192.0.2.50/24 by DHCP from 192.0.2.1");
  expect(endMs).toBeLessThan(2000);
});

describe("without a network", () => {
  const dark = [{ ...CARD, carrierAtMs: Number.POSITIVE_INFINITY }];

  test("a root on a disk boots, with a warning", () => {
    const { end, console } = boot(`${ROOT} rd.net.timeout=20`, dark);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain("the network did not come up within 20 s, going on without it: eth0 has no carrier");
  });

  test("a machine without a card waits a short time for one, unless rd.net.timeout= says how long", () => {
    const { end, endMs, console } = boot(ROOT, []);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain("the network is needed, but there is no network interface, going on without it");
    expect(endMs).toBeLessThan(17_000);
    expect(console.match(/waiting for the network, \d+ of 15 s/g)).toHaveLength(3);
    expect(boot(`${ROOT} rd.net.timeout=40`, []).endMs).toBeGreaterThan(40_000);
  });

  test("a card that is missing is named", () => {
    const { console } = boot(`${ROOT} ip=eth7:dhcp rd.net.timeout=5`, [CARD]);
    expect(console).toContain("the network is needed, but there is no interface eth7");
    expect(console).toContain(`the interfaces are eth0 (${MAC})`);
  });
});

test("static addresses, a route on the link, and rd.route=", () => {
  const { journal, console } = boot(
    `${ROOT} ip=10.0.0.2::10.1.1.1:255.255.255.255::eth0:none:1400 rd.route=198.51.100.0/24:10.0.0.9:eth0 nameserver=10.1.1.2`,
    [CARD],
  );
  expect(changes(journal)).toEqual([
    "set interface 1 isUp=true",
    "set interface 2 mtu=1400",
    "set interface 2 isUp=true",
    "add 10.0.0.2/32 to 2",
    "route default on 2 via 10.1.1.1 onlink",
    "route 198.51.100.0/24 on 2 via 10.0.0.9 onlink",
  ]);
  expect(console).toContain("eth0 10.0.0.2/32 static, gateway 10.1.1.1");
  expect(journal).toContain("write /etc/resolv.conf");
});

test("an address of IPv6 counts when the kernel has checked it", () => {
  const address = Uint8Array.fromHex("20010db8000000000000000000000005");
  const gateway = Uint8Array.fromHex("fe800000000000000000000000000001");
  const card = { ...CARD, servers: [], router: { afterMs: 200, address, gateway } };
  const auto = boot(`${ROOT} ip=auto6`, [card]);
  expect(auto.console).toContain("eth0 2001:db8::5/64 by router advertisement, gateway fe80::1");
  expect(auto.endMs).toBeGreaterThanOrEqual(2200);
  // Without ip=, DHCP has 5 s before that.
  expect(boot(ROOT, [card]).endMs).toBeGreaterThanOrEqual(6000);
  const both = boot(ROOT, [{ ...card, servers: [fakeDhcpServer({ delayMs: 2000 })] }]);
  expect(both.console).toContain("by DHCP");
  const fixed = boot(`${ROOT} ip=[2001:db8::9]::[fe80::1]:64::eth0:none`, [{ ...CARD, hasDuplicate: true }]);
  expect(fixed.console).toContain("eth0 has a carrier, but another host has its address");
});

test("VLANs, bonds and bridges are made in their order, with a name of ifname=", () => {
  const cards = [
    { name: "eth0", mac: "52:54:00:00:00:01" },
    { name: "eth1", mac: "52:54:00:00:00:02" },
  ];
  const { journal, console } = boot(
    `${ROOT} ifname=lan0:52:54:00:00:00:01 bond=bond0:lan0,eth1:miimon=100,mode=802.3ad vlan=vlan5:bond0 ip=192.0.2.9::192.0.2.1:24::vlan5:none`,
    cards,
    { sys: { "/class/net/bond0/bonding/mode": "", "/class/net/bond0/bonding/miimon": "" } },
  );
  const lines = changes(journal);
  expect(lines.slice(0, 7)).toEqual([
    "set interface 1 isUp=true",
    "set interface 2 name=lan0",
    "make bond bond0",
    "write /sys/class/net/bond0/bonding/mode",
    "write /sys/class/net/bond0/bonding/miimon",
    "set interface 2 master=4",
    "set interface 2 isUp=true",
  ]);
  expect(lines).toContain("make vlan vlan5 5 on 4");
  expect(console).toContain("vlan5 192.0.2.9/24 static, gateway 192.0.2.1");
});

test("a bond that the driver has made already gets its options, before its members", () => {
  const { journal } = boot(`${ROOT} bond=bond0:eth0:mode=active-backup ip=bond0:dhcp rd.net.timeout=5`, [CARD], {
    sys: { "/class/net/bond0/bonding/mode": "" },
    before: (machine) => machine.network.change({ kind: "make-link", type: "bond", name: "bond0" }),
  });
  const lines = changes(journal);
  expect(lines.filter((line) => line.startsWith("make"))).toEqual([]);
  expect(lines.filter((line) => line.startsWith("write"))).toEqual(["write /sys/class/net/bond0/bonding/mode"]);
  expect(lines.indexOf("write /sys/class/net/bond0/bonding/mode")).toBeLessThan(
    lines.findIndex((line) => line.includes("master=")),
  );
});

test("a bond that the kernel does not make is a diagnosis", () => {
  const { console } = boot(`${ROOT} bond=bond0:eth0 ip=bond0:dhcp`, [CARD], {
    before: (machine) => machine.refuse("changeNetwork", "make bond", "EOPNOTSUPP"),
  });
  expect(console).toContain("the kernel refused to create the bond bond0");
});

test("BOOTIF= chooses the card", () => {
  const cards = [CARD, { name: "eth1", mac: "52:54:00:00:00:02", servers: [fakeDhcpServer({ address: "192.0.2.9" })] }];
  expect(boot(`${ROOT} BOOTIF=01-52-54-00-00-00-02`, cards).console).toContain("eth1 192.0.2.9/24");
});

test("files are left for the real system", () => {
  const written = new Map<string, string>();
  const modes = new Map<string, number | undefined>();
  const options = { 12: [...Buffer.from("host")], 17: [...Buffer.from("/srv/root")] };
  boot(`${ROOT} ip=eth0:dhcp`, [{ ...CARD, servers: [fakeDhcpServer({ options, file: "boot.img" })] }], {
    before(machine) {
      const { writeFile, moveMount } = machine;
      machine.writeFile = (path, data) => {
        written.set(path, Buffer.from(data).toString());
        writeFile(path, data);
      };
      machine.moveMount = (from, to) => {
        for (const path of from === "/run" ? written.keys() : []) modes.set(path, machine.stat(path)?.mode);
        moveMount(from, to);
      };
    },
  });
  const klibc = written.get("/run/net-eth0.conf");
  for (const line of [
    "IPV4ADDR='192.0.2.50'",
    "IPV4NETMASK='255.255.255.0'",
    "ROOTPATH='/srv/root'",
    "filename='boot.img'",
  ])
    expect(klibc).toContain(`${line}\n`);
  expect(written.get("/run/systemd/network/98-levain-eth0.network")).toBe(
    "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n",
  );
  expect(written.get("/run/levain/resolv.conf")).toBe("nameserver 192.0.2.1\n");
  expect(written.get("/etc/resolv.conf")).toBe("nameserver 192.0.2.1\n");
  expect(JSON.parse(written.get("/run/levain/network.json") ?? "")).toMatchObject({ hostname: "host" });
  expect(written.has("/run/network/ifstate")).toBe(false);
  const profile = "/run/NetworkManager/system-connections/levain-eth0.nmconnection";
  expect(written.get(profile)).toContain("interface-name=eth0\n");
  expect(modes.get(profile)).toBe(0o600);
});

test("levain status shows the step; what it tried in vain is taken back", () => {
  const late = fakeDhcpServer({ address: null });
  let text: readonly string[] | null = null;
  const { machine, end } = boot(`${ROOT} rd.break=root`, [{ ...CARD, servers: [late] }], {
    person: [
      (stopped) => {
        text = describeStatus(stopped);
      },
    ],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(String(text)).toMatch(/ok {6}network {3}none, going on without it/);
  expect(machine.network.links.filter(({ isUp }) => isUp).map(({ name }) => name)).toEqual([]);
});
