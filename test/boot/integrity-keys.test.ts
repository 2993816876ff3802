import { expect, test } from "bun:test";
import { type FakeBootOptions, ROOT_TREE } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";
import { integrityDevice } from "../support/fake-integrity.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { integrityBoot } from "../support/integrity-boot.ts";

// What a shell finds of a key of dm-integrity: the file, and the open device, whose table contains the key.

const noInit = fakeImage("ext4", { label: "ROOT" }, {});
const root = fakeImage("ext4", { label: "ROOT" }, ROOT_TREE);
const KEYED = { by: "hmac(sha256):5a17", tagBytes: 32 };
const KEY = { "/etc/hmac.key": new Uint8Array([0x5a, 0x17]) };
const WORD = "rd.integrity=safe:/dev/vda,key=/etc/hmac.key";
const MANIFEST = JSON.stringify({ version: 1, kernel: null, parameters: [WORD] });

function boot(content: Uint8Array, cmdline: string, more: FakeBootOptions = {}) {
  const found: { readonly mappings: readonly string[]; readonly hasKey: boolean }[] = [];
  const look = (machine: FakeMachine) =>
    found.push({
      mappings: machine.listMappings().map(({ name }) => name),
      hasKey: machine.stat("/etc/hmac.key") !== null,
    });
  const disks = [{ name: "vda", content }];
  const result = integrityBoot({ cmdline, disks, images: [noInit, root], person: [look], ...more });
  return { ...result, found, look };
}
const opened = ({ journal }: ReturnType<typeof boot>) => journal.filter((line) => line.startsWith("map ")).length;

test.each([
  ["the command line names", WORD, {}],
  ["a parameter of the image names", "", { "/etc/levain.json": MANIFEST }],
  ["integritytab names", "", { "/etc/integritytab": "safe /dev/vda /etc/hmac.key\n" }],
])("after a boot that failed, no shell finds a key that %s", (_, word, files) => {
  const result = boot(integrityDevice(noInit.bytes, KEYED), `${word} root=LABEL=ROOT`, { files: { ...KEY, ...files } });
  expect(opened(result)).toBe(1);
  expect(result.found).toEqual([{ mappings: [], hasKey: false }]);
  expect(result.text).toContain("removed the key file /etc/hmac.key of this image before the shell");
  expect(result.text).toContain("closed /dev/mapper/safe before the shell: `dmsetup table` would print its key");
});

test("rdshell=keep keeps no device open that has a key", () => {
  const device = integrityDevice(noInit.bytes, KEYED);
  const { found } = boot(device, `${WORD} root=LABEL=ROOT rdshell=keep`, { files: KEY });
  expect(found).toEqual([{ mappings: [], hasKey: false }]);
});

test("a device without a key stays open in a shell", () => {
  const { found } = boot(integrityDevice(noInit.bytes), "rd.integrity=safe:/dev/vda root=LABEL=ROOT");
  expect(found).toEqual([{ mappings: ["safe"], hasKey: false }]);
});

test("one that a person has opened is closed before the next shell, with the volume on it", () => {
  const words = "rd.integrity=safe:/dev/vda root=LABEL=ROOT";
  const targets = (type: string, parameters: string) => [
    { type, startSector: 0, sectors: root.bytes.length / 512, parameters: Buffer.from(parameters) },
  ];
  const open = (machine: FakeMachine) => {
    const numberOf = (name: string) =>
      Buffer.from(machine.readFile(`/sys/class/block/${name}/dev`))
        .toString()
        .trim();
    const table = `${numberOf("vdb")} 0 32 J 1 internal_hash:hmac(sha256):5a17`;
    const base = { uuid: "CRYPT-INTEGRITY-mine", name: "mine", readOnly: false };
    const { device } = machine.createMapping({ ...base, targets: targets("integrity", table) });
    const above = { uuid: "LVM-volume", name: "above", readOnly: false };
    machine.createMapping({ ...above, targets: targets("linear", `${numberOf(device)} 0`) });
  };
  const seen: string[][] = [];
  const look = (machine: FakeMachine) => seen.push(machine.listMappings().map(({ name }) => name));
  const disks = [
    { name: "vda", content: integrityDevice(noInit.bytes) },
    { name: "vdb", content: integrityDevice(root.bytes, KEYED) },
  ];
  boot(new Uint8Array(), words, { disks, person: [open, look] });
  expect(seen).toEqual([[]]);
});
