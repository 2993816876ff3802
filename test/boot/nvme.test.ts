import { expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import type { FakeNvmeServer } from "../support/fake-nvme.ts";

const NQN = "nqn.2014-08.org.example:root";
const UUID = "7f1c9a52-0d3b-4c8e-9d6a-2b1e5f4a3c80";
const OWN = `nqn.2014-08.org.nvmexpress:uuid:${UUID}`;
const subsystems = { [NQN]: rootImage() };
const ASKED = "root=LABEL=ROOT rd.nvmf.discover=tcp,192.0.2.1";

const boot = (server: FakeNvmeServer, words = "", more: FakeBootOptions = {}) =>
  fakeBoot({
    cmdline: `${ASKED} ip=192.0.2.5/24:::::eth0:none ${words}`,
    cards: [{ name: "eth0", mac: "52:54:00:00:00:01" }],
    nvme: { "192.0.2.1:4420": server },
    sys: { "/class/dmi/id/product_uuid": `${UUID}\n` },
    ...more,
  });

test("the subsystems of a server bring the root, and its interface stays up", () => {
  const { end, mounts, journal } = boot({ subsystems });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(mounts).toContain("/sysroot ext4 /dev/nvme0n1");
  expect(journal).toContain("write /run/network/ifstate");
});

test("the machine is known by its parameter, the file of the image or the UUID of its firmware", () => {
  const node = "nqn.2014-08.org.example:node7";
  const files = { ...INITRAMFS, "/etc/nvme/hostnqn": `${node}\n` };
  expect(boot({ subsystems, hosts: [OWN] }).end).toMatchObject({ mode: "switch_root" });
  expect(boot({ subsystems, hosts: [node] }, "", { files }).end).toMatchObject({ mode: "switch_root" });
  expect(boot({ subsystems, hosts: [node] }, `rd.nvmf.hostnqn=${node}`).end).toMatchObject({ mode: "switch_root" });
  const { end, record } = boot({ subsystems, hosts: [node] }, "rd.timeout=5");
  expect(end).toBe("poweroff");
  const failure = record.failure?.join("\n") ?? "";
  expect(failure).toContain(`the server has no subsystem for this machine, which calls itself ${OWN}`);
  expect(failure).toContain("rd.nvmf.hostnqn=NQN");
});

test.each([
  ["rd.nvmf.hostnqn=nqn.2014-08.org.example:node7", "nqn.2014-08.org.example:node7"],
  [`rd.nvmf.hostnqn=${OWN}`, OWN],
  [`rd.nvmf.hostid=${UUID}`, OWN],
])("a machine whose firmware has no UUID gives both of its names with %s", (words, name) => {
  expect(boot({ subsystems, hosts: [name] }, words, { sys: {} }).end).toMatchObject({ mode: "switch_root" });
});

test("a server that starts 22 s later is found, and within 5 s a line says what is waited for", () => {
  const { end, endMs, record } = boot({ subsystems, fromMs: 23_000 });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBeLessThan(26_000);
  const line = "NVMe over TCP, 192.0.2.1 port 4420: the connection was refused";
  const said = record.messages.find(({ text }) => text.includes(line));
  const step = record.steps.find(({ name }) => name === "root");
  expect((said?.atMs ?? Number.NaN) - (step?.startMs ?? 0)).toBeLessThan(5000);
});

test.each([
  [{ isSilent: true }, "no answer from the server yet"],
  [{ code: "ENOENT" }, "levain image --module nvme-tcp"],
  [{ code: "EIO" }, "the server refused it, or does not speak NVMe over TCP"],
  [{ subsystems, refuses: "EBADMSG" }, `${NQN}: what the server says about it makes no sense`],
] satisfies readonly (readonly [FakeNvmeServer, string])[])("%o ends in a report at the timeout", (server, text) => {
  const { end, console, endMs } = boot(server, "rd.timeout=10");
  expect(end).toBe("poweroff");
  expect(endMs).toBeLessThan(15_000);
  expect(console).toContain(text);
});

test("a server that lists more subsystems than levain reads gets a warning, once", () => {
  const { end, console } = boot({ subsystems, lists: 70, fromMs: 5000 });
  expect(end).toMatchObject({ mode: "switch_root" });
  const text = "the server lists 70 subsystems, of which levain has read the first 64";
  expect(console.replaceAll(/\s+/g, " ").split(text)).toHaveLength(2);
});

test("a disk of this machine does not wait for a server", () => {
  const disks = [{ name: "sda", image: rootImage() }];
  const { end, endMs } = boot({ isSilent: true }, "", { disks });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBeLessThan(2500);
});

test("fibre channel is named, and nothing else", () => {
  const disks = [{ name: "sda", image: rootImage() }];
  const { end, console } = fakeBoot({ cmdline: "root=LABEL=ROOT rd.nvmf.discover=fc,auto", disks });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("only TCP connects to disks of NVMe over fabrics");
});
