import { expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import { type FakeBootOptions, fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";

const MAC = "52:54:00:12:34:56";
const URL = `https://boot.example/${MAC}.toml`;
const DISKS = ["A", "B"].map((label, index) => ({ name: `vd${"ab"[index]}`, image: rootImage(label) }));
// biome-ignore lint/suspicious/noTemplateCurlyInString: a name that levain replaces
const ASKED = "rd.config=https://boot.example/${mac}.toml";

function boot(file: string, cmdline = `root=LABEL=A ${ASKED}`, more: FakeBootOptions = {}) {
  const card = { name: "eth0", mac: MAC, servers: [fakeDhcpServer()] };
  const web = { [URL]: Buffer.from(file), ...more.web };
  const booted = fakeBoot({ cmdline, cards: [card], disks: DISKS, ...more, web });
  return { ...booted, root: booted.journal.find((line) => line.startsWith("mount ext4"))?.split(" ")[2] };
}

test("parameters from a server complete those of the image, and the command line overrides them", () => {
  const { root, console } = boot('parameters = ["root=LABEL=B", "rw"]', ASKED);
  expect(root).toBe("/dev/vdb");
  expect(console.match(/levain 0\.1\.0 on Linux/g)).toHaveLength(1);
  expect(boot('parameters = ["root=LABEL=B"]').root).toBe("/dev/vda");
  const tables = `[machine."${MAC}"]\nparameters = ["root=LABEL=B"]\n[machine.other]\nparameters = ["root=LABEL=A"]`;
  expect(boot(tables, ASKED).root).toBe("/dev/vdb");
});

test("a file with a mistake is not used at all", () => {
  for (const [file, words] of [
    ['parameters = ["root=LABEL=B"', "cannot be used"],
    ['parameters = "root=LABEL=B"', "parameters: Expected Array but received"],
    ['parameters = ["root=LABEL=B"]\nmodules = ["x"]', "modules: Expected never but received"],
    ['parameters = ["root=LABEL=B", "rd.timeout=soon"]', "a mistake in the configuration of rd.config="],
    ['parameters = ["rdshell=0"]', "rdshell=0 must be known before the network is up"],
    ['parameters = ["root=LABEL=B", "ip=dhcp"]', "ip=dhcp must be known before the network is up"],
    [
      'parameters = ["root=LABEL=B", "nameserver=192.0.2.9"]',
      "nameserver=192.0.2.9 must be known before the network is up",
    ],
    ['parameters = ["root=LABEL=B", "rd.peerdns=0"]', "rd.peerdns=0 must be known before the network is up"],
    ['parameters = ["root=LABEL=B", "rd.route=10.0.0.0/8:192.0.2.1"]', "must be known before the network is up"],
    ['parameters = ["root=LABEL=B", "rd.net.timeout=3"]', "rd.net.timeout=3 must be known before the network is up"],
    ['parameters = ["root=LABEL=B", "rd.neednet=1"]', "rd.neednet=1 must be known before the network is up"],
  ] as const) {
    const { root, record } = boot(file, ASKED);
    expect(record.failure?.join("\n")).toContain(words);
    expect(root).toBeUndefined();
  }
});

test("modules of the configuration are loaded, with its parameters and without those of its blacklist", () => {
  const { journal, console } = boot('parameters = ["rd.modules=loop,nope", "loop.max_part=3"]');
  expect(journal).toContain("load /lib/modules/6.1.0-fake/kernel/drivers/block/loop.ko max_part=3");
  expect(console).toContain("this image has no module nope");
  const dep = `${INITRAMFS["/lib/modules/6.1.0-fake/modules.dep"]}kernel/ahci.ko:\n`;
  const controller: FakeBootOptions = {
    files: {
      "/lib/modules/6.1.0-fake/modules.dep": dep,
      "/lib/modules/6.1.0-fake/modules.alias": "alias pci:v*d*bc01sc06i* ahci\n",
      "/lib/modules/6.1.0-fake/kernel/ahci.ko": "module",
    },
    modules: { ahci: {} },
    sys: { "/bus/pci/devices/0000:00:02.0/modalias": "pci:v00008086d00002922bc01sc06i01\n" },
  };
  const isLoaded = (words: string) =>
    boot(`parameters = ["rd.drivers=all"${words}]`, undefined, controller).journal.some((line) =>
      line.includes("ahci"),
    );
  expect([isLoaded(""), isLoaded(', "modprobe.blacklist=ahci"')]).toEqual([true, false]);
});

test("a signature is required if the image has a key", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const files = { ...INITRAMFS, "/etc/levain/config.pub": publicKey.export({ type: "spki", format: "pem" }) };
  const file = 'parameters = ["root=LABEL=B"]';
  const signed = { [`${URL}.sig`]: sign(null, Buffer.from(file), privateKey) };
  expect(boot(file, ASKED, { files, web: signed }).root).toBe("/dev/vdb");
  const forged = boot(`${file} `, ASKED, { files, web: signed });
  expect(forged.record.failure?.join("\n")).toContain(
    "its signature was not made with the key of /etc/levain/config.pub",
  );
  expect(forged.root).toBeUndefined();
  expect(boot(file, ASKED, { files }).record.failure?.[0]).toBe("could not download levain.toml.sig");
  const { publicKey: other } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  for (const key of [other.export({ type: "spki", format: "pem" }), "no key", ""]) {
    const { record, root } = boot(file, ASKED, { files: { ...files, "/etc/levain/config.pub": key }, web: signed });
    expect(record.failure?.[0]).toBe(`could not verify ${URL} with /etc/levain/config.pub`);
    expect(record.failure?.join("\n")).not.toContain("bug in levain");
    expect(root).toBeUndefined();
  }
});

test("a file that was signed for another machine, or has expired, is not used", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const files = { ...INITRAMFS, "/etc/levain/config.pub": publicKey.export({ type: "spki", format: "pem" }) };
  const use = (head: string) => {
    const file = `${head}\nparameters = ["root=LABEL=B"]`;
    const web = { [`${URL}.sig`]: sign(null, Buffer.from(file), privateKey) };
    const { root, record } = boot(file, ASKED, { files, web });
    return root ?? record.failure?.join("\n");
  };
  expect(use(`only = ["${MAC}", "other"]\nexpires = "2099-12-31"`)).toBe("/dev/vdb");
  expect(use('only = ["52:54:00:00:00:99"]')).toContain('it is for another machine: only = "52:54:00:00:00:99"');
  expect(use("only = []")).toContain("it is for another machine");
  // The name that DHCP gave.
  expect(use('only = ["node7"]')).toContain("it is for another machine");
  expect(use('expires = "1999-12-31"')).toContain("it expired on 1999-12-31, and the clock shows 20");
  expect(use('expires = "soon"')).toContain("expires: Expected");
});

test("a server without the file stops the boot, and rdshell=0 still allows no shell", () => {
  const { record, shells } = boot("", `root=LABEL=A ${ASKED} rdshell=0 panic=1`, {
    web: { [URL]: { kind: "status", status: 404 } },
  });
  expect(record.failure?.join("\n")).toContain("the server answers with status 404");
  expect(shells).toBe(0);
});
