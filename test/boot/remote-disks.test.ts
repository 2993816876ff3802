import { describe, expect, test } from "bun:test";
import { SyscallError } from "../../src/problems/errors.ts";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import type { FakeCard } from "../support/fake-network.ts";
import type { FakeServer, FakeServers } from "../support/fake-remote-disks.ts";

const CARDS: readonly FakeCard[] = [
  { name: "eth0", mac: "52:54:00:00:00:01" },
  { name: "eth1", mac: "52:54:00:00:00:02" },
];
const MODULES = "/lib/modules/6.1.0-fake";

/** The driver of ATA over Ethernet: a target answers from `fromMs` on. */
function aoe(fromMs = 0): FakeBootOptions {
  const files = {
    [`${MODULES}/modules.dep`]:
      "kernel/fs/overlay.ko:\nkernel/drivers/block/loop.ko:\nkernel/drivers/block/aoe/aoe.ko:\n",
    [`${MODULES}/kernel/drivers/block/aoe/aoe.ko`]: "module",
  };
  const before = (machine: FakeMachine) => {
    let isThere = false;
    const write = machine.writeFile;
    machine.writeFile = (path, data) => {
      if (!path.startsWith("/dev/etherd/")) return write(path, data);
      machine.journal.push(`write ${data} to ${path}`);
      if (path !== "/dev/etherd/discover" || machine.nowMs() < fromMs || isThere) return;
      isThere = true;
      machine.plugIn({ name: "etherd!e0.0", image: rootImage() });
    };
  };
  return { files, before, modules: { aoe: {} } };
}

const boot = (cmdline: string, more: FakeBootOptions) => fakeBoot({ cmdline, cards: CARDS, ...more });

describe("ATA over Ethernet", () => {
  test("the interface is set up without an address, and the target becomes the root", () => {
    const { end, journal, console, mounts } = boot("root=LABEL=ROOT rd.aoe=eth1", aoe());
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(mounts).toContain("/sysroot ext4 /dev/etherd/e0.0");
    expect(console).toContain("eth1 up, without an address");
    expect(journal.filter((line) => /^set interface|aoe|etherd|^add \S+ to/.test(line))).toEqual([
      "set interface 1 isUp=true",
      "set interface 3 isUp=true",
      `load ${MODULES}/kernel/drivers/block/aoe/aoe.ko aoe_iflist=eth1`,
      "mkdir /dev/etherd",
      "node /dev/etherd/interfaces character 152:4",
      "write eth1 to /dev/etherd/interfaces",
      "node /dev/etherd/discover character 152:3",
      "write 1 to /dev/etherd/discover",
      "mount ext4 /dev/etherd/e0.0 at /sysroot (ro)",
    ]);
  });

  test("the real system leaves the interface alone", () => {
    const { end, journal } = boot("root=LABEL=ROOT rd.aoe=eth1", aoe());
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("write /run/systemd/network/10-levain-eth1.network");
    expect(journal).toContain("write /run/network/ifstate");
  });

  test.each(["root=aoe:e0.0", "root=/dev/etherd/e0.0", "root=aoe:e0.0 ip=off"])(
    "%s needs no other parameter",
    (root) => {
      const { end, journal } = boot(root, aoe());
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(journal).toContain("set interface 2 isUp=true");
      expect(journal).toContain("set interface 3 isUp=true");
      expect(journal).not.toContain("set interface 2 isUp=false");
    },
  );

  test("a target that comes 22 s later is found, and within 5 s a line says what is waited for", () => {
    const { end, console, record, endMs } = boot("root=aoe:e0.0", aoe(23_000));
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(26_000);
    expect(console).toContain("no block device yet · no AoE target has answered on any interface");
    const said = record.messages.find(({ text }) => text.includes("no AoE target has answered"));
    const step = record.steps.find(({ name }) => name === "root");
    expect((said?.atMs ?? Number.NaN) - (step?.startMs ?? 0)).toBeLessThan(5000);
  });

  test("without a target, the report says how often it was looked for", () => {
    const { end, console } = boot("root=aoe:e0.0 rd.timeout=10", aoe(1e9));
    expect(end).toBe("poweroff");
    expect(console).toMatch(/no AoE target has answered on any interface: the kernel was asked \d+ times/);
    expect(console).toContain("check that vblade runs");
    expect(console).not.toContain("the disk is missing");
  });

  test("an image without the driver is named", () => {
    const { end, console } = boot("root=aoe:e0.0 rd.timeout=2", {
      before: (machine) => machine.refuse("writeFile", "/dev/etherd", "ENXIO"),
    });
    expect(end).toBe("poweroff");
    expect(console).toContain("AoE cannot be used");
  });
});

describe("NBD", () => {
  const ADDRESS = "192.0.2.1:10809";
  const exports = { disk: rootImage() };
  const STATIC = "ip=192.0.2.5/24:::::eth0:none";
  const nbd = (cmdline: string, servers: FakeServers, more: FakeBootOptions = {}) =>
    boot(`${cmdline} ${STATIC}`, { servers, ...more });

  test.each([
    ["root=nbd:192.0.2.1:disk", { [ADDRESS]: { exports } }],
    ["root=nbd:192.0.2.1:disk:ext4:noatime", { [ADDRESS]: { exports } }],
    ["root=nbd:192.0.2.1:7000", { "192.0.2.1:7000": { exports: { "": rootImage() } } }],
    ["root=nbd://192.0.2.1:7000/disk", { "192.0.2.1:7000": { exports } }],
    ["root=nbd:[2001:db8::1]:disk", { "2001:db8::1:10809": { exports } }],
    ["root=nbd:server.example:disk", { [ADDRESS]: { exports }, "server.example": ["2001:db8::1", "192.0.2.1"] }],
    ["root=LABEL=ROOT netroot=nbd:192.0.2.1:disk", { [ADDRESS]: { exports } }],
    ["root=/dev/nbd0 nbdroot=192.0.2.1,disk", { [ADDRESS]: { exports } }],
    ["root=/dev/nbd0 nbdroot=192.0.2.1,disk,nbd0", { [ADDRESS]: { exports } }],
  ] satisfies readonly (readonly [string, FakeServers])[])("%s", (cmdline, servers) => {
    const { end, mounts, journal } = nbd(cmdline, servers);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(mounts).toContain("/sysroot ext4 /dev/nbd0");
    // The root stays on it.
    expect(journal).toContain("write /run/network/ifstate");
  });

  test("the type and the options in root= count", () => {
    const { journal } = nbd("root=nbd:192.0.2.1:disk:ext4:noatime", { [ADDRESS]: { exports } });
    expect(journal).toContain("mount ext4 /dev/nbd0 at /sysroot (noatime,ro)");
  });

  test("a server that starts 22 s later is found, and within 5 s a line says what is waited for", () => {
    const { end, console, record, endMs } = nbd("root=nbd:192.0.2.1:disk", { [ADDRESS]: { exports, fromMs: 23_000 } });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(26_000);
    const line = "nbd://192.0.2.1:10809/disk: the connection was refused";
    expect(console).toContain(line);
    const said = record.messages.find(({ text }) => text.includes(line));
    const step = record.steps.find(({ name }) => name === "root");
    expect((said?.atMs ?? Number.NaN) - (step?.startMs ?? 0)).toBeLessThan(5000);
  });

  test.each([
    ["a server that does not answer", {}],
    ["a server that is silent", { [ADDRESS]: { isSilent: true } }],
  ] satisfies readonly (readonly [string, FakeServers])[])("%s is named within 5 s", (_, servers) => {
    const { end, record, endMs, console } = nbd("root=nbd:192.0.2.1:disk rd.timeout=20", servers);
    expect(end).toBe("poweroff");
    // The wait for its answer counts.
    expect(endMs).toBeLessThan(25_000);
    expect(console).toContain("check that the server runs");
    expect(console).not.toContain("attach the disk");
    const said = record.messages.find(({ text }) =>
      text.includes("nbd://192.0.2.1:10809/disk: the server does not answer"),
    );
    const step = record.steps.find(({ name }) => name === "root");
    expect((said?.atMs ?? Number.NaN) - (step?.startMs ?? 0)).toBeLessThan(5000);
  });

  test("a name server that is silent holds up nothing: a disk of this machine is used when it appears", () => {
    const servers = { "server.example": [] };
    const cmdline = "root=LABEL=ROOT netroot=nbd:server.example:disk rd.timeout=20";
    const vain = nbd(cmdline, servers);
    expect(vain.end).toBe("poweroff");
    expect(vain.console).toContain("no answer yet about the address of server.example");
    expect(vain.console).toContain("nbd://server.example:10809/disk: the name server does not answer");
    const disks = [{ name: "sda", image: rootImage(), arrivesAtMs: 1500 }];
    const { end, endMs } = nbd(cmdline, servers, { disks });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(2500);
  });

  test("an image without the driver is named", () => {
    const before = (machine: FakeMachine) => {
      machine.attachNbd = () => {
        throw new SyscallError("genetlink", "ENOENT", "nbd");
      };
    };
    const { console } = nbd("root=nbd:192.0.2.1:disk rd.timeout=3", { [ADDRESS]: { exports } }, { before });
    expect(console.replace(/\s+/g, " ")).toContain(
      "nbd://192.0.2.1:10809/disk: the kernel has no driver for it, and neither has the image",
    );
    expect(console).toContain("could not find the root device");
  });

  test.each([
    ["an export that the server does not have", { exports: {} }, 'the server has no export "disk"'],
    ["TLS", { error: 5 }, 'the server requires TLS, which for NBD is not supported yet ("ask the admin")'],
    ["a client that is not permitted", { error: 2 }, "the server refuses this client"],
    ["an old server", { error: 1 }, "the server is too old"],
    ["blocks that are too large", { exports, blockBytes: 65_536 }, "blocks that the kernel does not support"],
    [
      "the old protocol",
      { sends: Buffer.from("4e42444d4147494300004202818612530000", "hex") },
      "the server is too old",
    ],
    ["another protocol", { sends: Buffer.from("SSH-2.0-OpenSSH_9.2p1\r\n") }, "what answers there is no NBD server"],
  ] satisfies readonly (readonly [string, FakeServer, string])[])("%s stops the boot at once", (_, server, text) => {
    const { end, console, endMs } = nbd("root=nbd:192.0.2.1:disk", { [ADDRESS]: server });
    expect(end).toBe("poweroff");
    expect(console.replace(/\s+/g, " ")).toContain(text);
    expect(endMs).toBeLessThan(2500);
  });
});

describe("the file of a diskless rack", () => {
  const FILE = "MODULES=aoe\nAOE_IFACES=eth1\nCOLOUR=red\n";

  test("in the image, it counts as parameters, and the command line is honoured", () => {
    const target = aoe();
    const files = { ...target.files, "/etc/levain/rack.conf": FILE };
    const { end, journal, console } = boot("root=LABEL=ROOT init=/bin/sh", { ...target, files });
    expect(console).toContain("/etc/levain/rack.conf: COLOUR= is not known, ignoring it");
    expect(journal).toContain("write eth1 to /dev/etherd/interfaces");
    expect(journal).not.toContain("set interface 2 isUp=true");
    expect(end).toBe("poweroff");
    expect(console).toContain("/bin/sh");
  });

  test("from a server, it sets up the interfaces that it names", () => {
    const url = "http://192.0.2.9/rack.conf";
    const cards = [{ name: "eth0", mac: "52:54:00:00:00:01", servers: [fakeDhcpServer()] }, ...CARDS.slice(1)];
    const web = { [url]: Buffer.from("AOE_IFACES=eth1\nROOT=/dev/etherd/e0.0\n") };
    const { end, journal, console } = boot(`rd.config=${url}`, { ...aoe(), cards, web });
    expect(console).toContain("eth1 up, without an address");
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("write /run/systemd/network/10-levain-eth1.network");
    // The address does not end with its lease: the root is on the network.
    expect(journal.findLast((line) => line.startsWith("add 192.0.2.50/24"))).not.toContain("for 3600 s");
  });

  test("from a server, with a mistake it is not used at all", () => {
    const url = "http://192.0.2.9/rack.conf";
    const cards = [{ name: "eth0", mac: "52:54:00:00:00:01", servers: [fakeDhcpServer()] }];
    const web = { [url]: Buffer.from(FILE) };
    const { end, console } = boot(`rd.config=${url} root=LABEL=ROOT`, { ...aoe(), cards, web });
    expect(end).toBe("poweroff");
    expect(console).toContain("COLOUR= is not known");
  });
});
