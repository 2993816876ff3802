import { deepEqual, equal, ok } from "node:assert/strict";
import * as fs from "node:fs";
import { DM_STATUS_TABLE_FLAG, DM_TABLE_STATUS, DM_TARGET_SPEC } from "../../src/machine/abi/crypt.ts";
import { askDeviceMapper, openControl, readText } from "../../src/machine/linux/storage/dm-ioctl.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { type ContractCase, loadModule, mountTmpfs, refuses } from "./case.ts";
import {
  attachBytes,
  attachEncrypted,
  cryptLine,
  expectNoMapping,
  mappingOf,
  PLAIN,
  readDevice,
  tableLine,
  XTS,
} from "./mappings.ts";

const DESCRIPTION = "cryptsetup:shown";

/** What only the real device mapper can show. */
export const LINUX_MAPPING_CASES: readonly ContractCase[] = [
  {
    name: "nodes of the device mapper and of a mapping are made where nobody else makes them, and go with it",
    check(machine, directory) {
      const device = attachBytes(machine, directory, PLAIN);
      const number = machine.stat(device)?.represents ?? "";
      const control = machine.stat("/dev/mapper/control")?.represents;
      mountTmpfs(machine, "/dev");
      try {
        // Left over, as after a crash.
        machine.makeDirectory("/dev/mapper");
        machine.makeSymlink("../dm-77", "/dev/mapper/bare");
        const mapping = machine.createMapping(mappingOf("bare", tableLine("linear", 16, `${number} 0`)));
        equal(machine.stat("/dev/mapper/control")?.represents, control);
        equal(machine.stat(`/dev/${mapping.device}`)?.kind, "block");
        deepEqual(readDevice(machine, "/dev/mapper/bare"), Buffer.from(PLAIN));
        machine.removeMapping("bare");
        expectNoMapping(machine);
      } finally {
        machine.unmount("/dev");
      }
      machine.detachLoop(device);
    },
  },
  {
    name: "the table of a mapping shows a logon key's description, and nothing of the key",
    check(machine, directory) {
      const device = attachEncrypted(machine, directory, XTS, PLAIN);
      const key = machine.addLogonKey(DESCRIPTION, XTS.key);
      const reference = `:64:logon:${DESCRIPTION}`;
      machine.createMapping(mappingOf("shown", cryptLine(XTS, device, PLAIN.length, reference)));
      machine.removeKey(key);
      equal(readTable(machine, "shown").split(" ").slice(0, 3).join(" "), `aes-xts-plain64 ${reference} 0`);
      machine.removeMapping("shown");
      machine.createMapping(mappingOf("shown", cryptLine(XTS, device, PLAIN.length)));
      ok(readTable(machine, "shown").includes(XTS.key.toHex()));
      machine.removeMapping("shown");
      machine.detachLoop(device);
    },
  },
  {
    name: "every mapping is listed, however many there are",
    check(machine, directory) {
      const device = attachBytes(machine, directory, PLAIN);
      const line = tableLine("linear", 16, `${device} 0`);
      const names = Array.from({ length: 140 }, (_, index) => `${index}-`.padEnd(127, "n"));
      for (const name of names) machine.createMapping(mappingOf(name, line, { uuid: "" }));
      deepEqual(
        machine
          .listMappings()
          .map(({ name }) => name)
          .sort(),
        names.toSorted(),
      );
      for (const name of names) machine.removeMapping(name);
      expectNoMapping(machine);
      machine.detachLoop(device);
    },
  },
  {
    name: "dm-integrity says of itself how many sectors it has for data",
    check(machine, directory) {
      for (const name of ["xor", "async_tx", "async_xor", "dm-integrity"]) loadModule(machine, name);
      ok(machine.mappingTargetVersion("integrity") !== null);
      const device = attachBytes(machine, directory, new Uint8Array(8 << 20));
      const words = `${device} 0 4 D 1 internal_hash:crc32c`;
      // It makes its superblock on zeros, whatever length it is asked for, and then knows the right one.
      machine.createMapping(mappingOf("sealed", tableLine("integrity", 1, words)));
      const [mismatches, sectors] = machine.mappingStatus("sealed").split(" ").map(Number);
      equal(mismatches, 0);
      ok((sectors ?? 0) > 8000 && (sectors ?? 0) < 16384, `${sectors} sectors`);
      machine.removeMapping("sealed");
      refuses("EINVAL", () => machine.createMapping(mappingOf("sealed", tableLine("integrity", 99_999, words))));
      machine.createMapping(mappingOf("sealed", tableLine("integrity", sectors ?? 0, words)));
      machine.removeMapping("sealed");
      machine.detachLoop(device);
    },
  },
];

/** What `dmsetup table --showkeys` shows of a mapping's first line. */
function readTable(machine: Machine, name: string): string {
  const control = openControl(machine);
  try {
    const { data } = askDeviceMapper(control, DM_TABLE_STATUS, name, { name, flags: DM_STATUS_TABLE_FLAG });
    return readText(data, DM_TARGET_SPEC.size);
  } finally {
    fs.closeSync(control);
  }
}
