import { describe, expect, test } from "bun:test";
import { recipe } from "../../support/network/recipes.ts";
import { runLab, SAID_FILE } from "../../support/network-lab.ts";

// The real machine, a real cable and dnsmasq, in network namespaces of their own.

const RANGE = "--dhcp-range=192.0.2.50,192.0.2.50,255.255.255.0,3600";

test("DHCP: the address, the routes and all that the lease has", async () => {
  const { network, after } = await runLab({
    dnsmasq: [
      RANGE,
      "--dhcp-option=option:router,192.0.2.1",
      "--dhcp-option=option:dns-server,192.0.2.53",
      "--dhcp-option=option:mtu,1400",
      "--dhcp-option=option:ntp-server,192.0.2.4",
      `--${recipe("dhcp-option=17").trim()}`,
      "--dhcp-option=option:domain-search,eng.example.org,example.org",
      "--dhcp-option=option:classless-static-route,198.51.100.0/24,192.0.2.7,0.0.0.0/0,192.0.2.1",
      "--dhcp-host=52:54:00:12:34:56,192.0.2.50,node7",
      "--dhcp-boot=pxelinux.0,,192.0.2.9",
    ],
    parameters: "ip=v0:dhcp",
  });
  expect(network).toMatchObject({
    interfaces: [
      {
        name: "v0",
        method: "dhcp",
        addresses: [{ address: "192.0.2.50", prefix: 24 }],
        gateways: ["192.0.2.1"],
        lease: {
          server: "192.0.2.1",
          seconds: 3600,
          mtu: 1400,
          rootPath: "nfs:192.0.2.1:/srv/root",
          bootFile: "pxelinux.0",
          nextServer: "192.0.2.9",
        },
      },
    ],
    nameservers: ["192.0.2.53"],
    search: ["eng.example.org", "example.org"],
    hostname: "node7",
    timeServers: ["192.0.2.4"],
  });
  expect(after).toMatch(/v0 +inet 192\.0\.2\.50\/24 brd 192\.0\.2\.255 .*dynamic v0/);
  expect(after).toContain("default via 192.0.2.1 dev v0");
  expect(after).toContain("198.51.100.0/24 via 192.0.2.7 dev v0");
});

test("a cable that is plugged in while levain waits", async () => {
  const { network, said } = await runLab({
    dnsmasq: [RANGE],
    before: `ip -n server link set v1 down; (until grep -qs carrier ${SAID_FILE}; do sleep 0.1; done; ip -n server link set v1 up) &`,
  });
  expect(network?.interfaces[0]?.addresses).toEqual([{ address: "192.0.2.50", prefix: 24 }]);
  expect(said[0]).toMatch(/^waiting for the network, \d+ of 60 s · seen: v0 has no carrier$/);
});

test("router advertisements: the kernel's address, its route and the name servers", async () => {
  const { network, after } = await runLab({
    dnsmasq: [
      "--enable-ra",
      "--dhcp-range=2001:db8::,ra-only",
      "--dhcp-option=option6:dns-server,[2001:db8::53],[fe80::]",
      "--ra-param=v1,4,600",
    ],
    parameters: "ip=v0:auto6",
  });
  expect(network?.interfaces[0]).toMatchObject({
    method: "auto6",
    addresses: [{ address: "2001:db8::5054:ff:fe12:3456", prefix: 64 }],
  });
  expect(network?.interfaces[0]?.gateways[0]).toStartWith("fe80::");
  expect(after).toMatch(/default via fe80:\S+ dev v0 proto ra/);
  // resolv.conf(5) needs the interface of a link-local address; dnsmasq puts its own in place of fe80::.
  expect(network?.nameservers).toEqual(["2001:db8::53", expect.stringMatching(/^fe80::[\da-f:]+%v0$/)]);
});

describe("static", () => {
  test("a /32 whose gateway is in no network, and an address of IPv6", async () => {
    const { network, after, said } = await runLab({
      parameters:
        "ip=203.0.113.7::192.0.2.1:255.255.255.255::v0:none ip=[2001:db8::5]::[2001:db8::1]:64::v0:none rd.route=198.51.100.0/24:192.0.2.9:v0",
    });
    expect(network?.interfaces[0]?.addresses.map(({ address }) => address)).toEqual(["203.0.113.7", "2001:db8::5"]);
    expect(after).toMatch(/default via 192\.0\.2\.1 dev v0 onlink/);
    expect(after).toMatch(/198\.51\.100\.0\/24 via 192\.0\.2\.9 dev v0 onlink/);
    expect(after).toMatch(/default via 2001:db8::1 dev v0/);
    expect(said).toEqual([]);
  });

  test("an address of IPv6 that another host has", async () => {
    const { report } = await runLab({ parameters: "ip=[2001:db8::1]:::::v0:none rd.net.timeout=5" });
    expect(report.join("\n")).toContain("v0 has a carrier, but another host has its address");
  });

  test("a bridge, a name and a hardware address", async () => {
    const { after } = await runLab({
      parameters:
        "ifname=lan0:52:54:00:12:34:56 bridge=br0:lan0 ip=192.0.2.8::192.0.2.1:24::br0:none:1400:52:54:00:00:00:09",
    });
    expect(after).toMatch(/br0 +inet 192\.0\.2\.8\/24/);
    expect(after).toContain("default via 192.0.2.1 dev br0");
  });
});

describe("failures", () => {
  test("a server that does not know this host", async () => {
    const { report, tookMs } = await runLab({
      dnsmasq: [RANGE, "--dhcp-ignore=tag:!known"],
      parameters: "ip=v0:dhcp rd.net.timeout=4",
    });
    expect(report.join("\n")).toMatch(
      /did not come up within 4 s\n {2}v0 has a carrier, but no DHCP server has answered \d messages/,
    );
    expect(tookMs).toBeGreaterThan(3900);
  });

  test("a card that is not there", async () => {
    const { report } = await runLab({ parameters: "ip=eth9:dhcp rd.net.timeout=1" });
    expect(report.join("\n")).toContain("there is no interface eth9\n  the interfaces are v0 (52:54:00:12:34:56)");
  });
});
