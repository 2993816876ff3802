import { deepEqual, equal, ok } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import { fakeImage } from "../support/fake-images.ts";
import { verityDisk } from "../support/verity-disk.ts";
import { type ContractCase, loadModule, refuses } from "./case.ts";
import { expectNoMapping, mappingOf, readDevice, tableLine } from "./mappings.ts";

const DISK = verityDisk({ ...fakeImage("ext4", { label: "VERITY" }), bytes: new Uint8Array(8 * 4096).fill(7) });
const DATA = DISK.data.bytes;
const KEY = "cryptsetup:contract-verity";

function attach(machine: Machine, directory: string, name: string, bytes: Uint8Array): string {
  machine.writeFile(`${directory}/${name}`, bytes);
  return machine.attachLoop({ file: `${directory}/${name}`, readOnly: true });
}

const table = (data: string, hashes: string, more = "", rootHash = DISK.rootHash) =>
  tableLine(
    "verity",
    DATA.length / 512,
    `1 ${data} ${hashes} 4096 4096 ${DATA.length / 4096} 1 sha256 ${rootHash} 5a17${more}`,
  );

export const VERITY_TABLE_CASES: readonly ContractCase[] = [
  {
    name: "dm-verity shows data that match the tree, holds both devices, and fails to read others",
    check(machine, directory) {
      for (const name of ["reed_solomon", "dm-bufio", "dm-verity"]) loadModule(machine, name);
      ok(machine.mappingTargetVersion("verity") !== null);
      const [data, hashes] = [
        attach(machine, directory, "data", DATA),
        attach(machine, directory, "hashes", DISK.hashes.bytes),
      ];
      const { device } = machine.createMapping(mappingOf("whole", table(data, hashes), { readOnly: true }));
      deepEqual(readDevice(machine, "/dev/mapper/whole"), Buffer.from(DATA));
      const names = [data, hashes].map((node) => node.replace("/dev/", ""));
      deepEqual(machine.listDirectory(`/sys/class/block/${device}/slaves`), names.sort());
      machine.removeMapping("whole");
      const other = attach(machine, directory, "other", DATA.with(5 * 4096, 1));
      machine.createMapping(mappingOf("other", table(other, hashes), { readOnly: true }));
      refuses("EIO", () => readDevice(machine, "/dev/mapper/other"));
      machine.removeMapping("other");
      const wrong = table(data, hashes, "", "ab".repeat(32));
      machine.createMapping(mappingOf("wrong", wrong, { readOnly: true }));
      refuses("EIO", () => readDevice(machine, "/dev/mapper/wrong"));
      machine.removeMapping("wrong");
      refuses("EINVAL", () => machine.createMapping(mappingOf("short", table(data, hashes, "", "ab"))));
      expectNoMapping(machine);
      for (const node of [data, hashes, other]) machine.detachLoop(node);
    },
  },
  {
    name: "a signature of a root hash is the payload of a key of type user; without the key it is refused",
    check(machine, directory) {
      const [data, hashes] = [
        attach(machine, directory, "data", DATA),
        attach(machine, directory, "hashes", DISK.hashes.bytes),
      ];
      const signed = mappingOf("signed", table(data, hashes, ` 2 root_hash_sig_key_desc ${KEY}`), { readOnly: true });
      refuses("ENOKEY", () => machine.createMapping(signed));
      refuses("EINVAL", () => machine.addUserKey(KEY, new Uint8Array()));
      machine.removeKey(machine.addUserKey(KEY, Buffer.from("no signature")));
      refuses("ENOKEY", () => machine.createMapping(signed));
      equal(machine.measureVerity(`${directory}/data`), null);
      expectNoMapping(machine);
      for (const node of [data, hashes]) machine.detachLoop(node);
    },
  },
];
