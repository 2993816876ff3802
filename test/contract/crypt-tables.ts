import { deepEqual, equal, ok } from "node:assert/strict";
import type { MappingTarget } from "../../src/machine/encryption.ts";
import { type ContractCase, refuses } from "./case.ts";
import { counting } from "./kernel-ciphers.ts";
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

const DESCRIPTION = "cryptsetup:11111111-2222-3333-4444-555555555555-d0";

/** Tables of mappings, and the keys in them, once the device mapper is there. */
export const CRYPT_TABLE_CASES: readonly ContractCase[] = [
  {
    name: "every cipher, sector size and offset of a table shows the same plain bytes",
    check(machine, directory) {
      for (const how of [
        { cipher: "aes-cbc-essiv:sha256", key: counting(32) },
        { cipher: "aes-cbc-plain", key: counting(16), ivOffset: 5 },
        { cipher: "aes-xts-plain64", key: counting(32), ivOffset: 16, sectorBytes: 4096 },
        { cipher: "aes-xts-plain", key: counting(64), sectorBytes: 1024 },
      ]) {
        const device = attachEncrypted(machine, directory, how, PLAIN);
        machine.createMapping(mappingOf("one", cryptLine(how, device, PLAIN.length)));
        deepEqual(readDevice(machine, "/dev/mapper/one"), Buffer.from(PLAIN), how.cipher);
        machine.removeMapping("one");
        machine.detachLoop(device);
      }
    },
  },
  {
    name: "lines of a table follow each other, a device may be named by its number, and a mapping may lie on another",
    check(machine, directory) {
      const device = attachEncrypted(machine, directory, XTS, PLAIN);
      const inner = machine.createMapping(mappingOf("inner", cryptLine(XTS, device, PLAIN.length)));
      const number = machine.stat(`/dev/${inner.device}`)?.represents ?? "";
      const targets = [tableLine("linear", 2, `${number} 14`), tableLine("linear", 3, "/dev/mapper/inner 1", 2)];
      machine.createMapping({ name: "outer", uuid: "", readOnly: false, targets });
      const expected = [PLAIN.subarray(14 * 512), PLAIN.subarray(512, 4 * 512)];
      deepEqual(readDevice(machine, "/dev/mapper/outer"), Buffer.concat(expected));
      deepEqual(
        machine
          .listMappings()
          .map(({ name, uuid }) => `${name} ${uuid}`)
          .sort(),
        ["inner CRYPT-TEST-inner", "outer "],
      );
      refuses("EBUSY", () => machine.removeMapping("inner"));
      machine.removeMapping("outer");
      machine.removeMapping("inner");
      machine.detachLoop(device);
    },
  },
  {
    name: "a logon key is found by its description, and may be removed once the mapping is there",
    check(machine, directory) {
      const device = attachEncrypted(machine, directory, XTS, PLAIN);
      const line = cryptLine(XTS, device, PLAIN.length, `:64:logon:${DESCRIPTION}`);
      refuses("ENOKEY", () => machine.createMapping(mappingOf("keyed", line)));
      const key = machine.addLogonKey(DESCRIPTION, XTS.key);
      ok(key > 0);
      const short = cryptLine(XTS, device, PLAIN.length, `:32:logon:${DESCRIPTION}`);
      refuses("EINVAL", () => machine.createMapping(mappingOf("keyed", short)));
      machine.createMapping(mappingOf("keyed", line));
      machine.removeKey(key);
      deepEqual(readDevice(machine, "/dev/mapper/keyed"), Buffer.from(PLAIN));
      machine.removeMapping("keyed");
      refuses("ENOKEY", () => machine.createMapping(mappingOf("keyed", line)));
      expectNoMapping(machine);
      machine.detachLoop(device);
    },
  },
  {
    name: "a logon key has a description with a colon and a payload; the same description is the same key",
    check(machine) {
      refuses("EINVAL", () => machine.addLogonKey("nocolon", XTS.key));
      refuses("EINVAL", () => machine.addLogonKey(":first", XTS.key));
      refuses("EINVAL", () => machine.addLogonKey(DESCRIPTION, new Uint8Array()));
      refuses("EINVAL", () => machine.addLogonKey("a:b\0c", XTS.key));
      const key = machine.addLogonKey(DESCRIPTION, XTS.key);
      equal(machine.addLogonKey(DESCRIPTION, XTS.key.subarray(1)), key);
      machine.removeKey(key);
      refuses("ENOKEY", () => machine.removeKey(0x7ffffffe));
    },
  },
  {
    name: "a table that is wrong is refused, and leaves no mapping",
    check(machine, directory) {
      const device = attachBytes(machine, directory, PLAIN);
      const key = XTS.key.toHex();
      const crypt = (parameters: string, sectors = 16): MappingTarget => tableLine("crypt", sectors, parameters);
      const wrong: readonly (readonly [string, MappingTarget])[] = [
        ["EINVAL", tableLine("nothing", 16, `${device} 0`)],
        ["EINVAL", tableLine("linear", 17, `${device} 0`)],
        ["EINVAL", tableLine("linear", 16, `${device} 1`)],
        ["EINVAL", tableLine("linear", 0, `${device} 0`)],
        ["EINVAL", tableLine("linear", 16, `${device} 0`, 1)],
        ["ENODEV", tableLine("linear", 16, "/dev/none 0")],
        ["EINVAL", crypt(`aes-xts-plain64 ${key} 0 ${device}`)],
        ["EINVAL", crypt(`aes-xts-plain64 ${key.slice(2)} 0 ${device} 0`)],
        ["EINVAL", crypt(`aes-xts-plain64 ${"zz"}${key.slice(2)} 0 ${device} 0`)],
        ["EINVAL", crypt(`aes-xts-plain64 ${key} x ${device} 0`)],
        ["EINVAL", crypt(`aes-xts-plain64 ${key} 0 ${device} x`)],
        ["EINVAL", crypt(`aes-xts-plain64 ${key} 0 ${device} 0 1 nothing`)],
        ["EINVAL", crypt(`aes-xts-plain64 ${key} 0 ${device} 0 1 sector_size:768`)],
        ["EINVAL", crypt(`aes-xts-plain64 ${key} 0 ${device} 0 1 sector_size:4096`, 12)],
        ["ENODEV", crypt(`aes-xts-plain64 ${key} 0 /dev/none 0`)],
        ["ENOENT", crypt(`nothing-xts-plain64 ${key} 0 ${device} 0`)],
        ["ENOENT", crypt(`aes-nothing-plain64 ${key} 0 ${device} 0`)],
      ];
      for (const [code, line] of wrong) {
        refuses(code, () => machine.createMapping(mappingOf("wrong", line)));
        expectNoMapping(machine);
      }
      refuses("EINVAL", () => machine.createMapping({ name: "none", uuid: "", readOnly: false, targets: [] }));
      expectNoMapping(machine);
      machine.detachLoop(device);
    },
  },
  {
    name: "a name or uuid that is taken is EBUSY, and the mapping that has it stays",
    check(machine, directory) {
      const device = attachBytes(machine, directory, PLAIN);
      const line = tableLine("linear", 16, `${device} 0`);
      const first = machine.createMapping(mappingOf("first", line));
      refuses("EBUSY", () => machine.createMapping(mappingOf("first", line, { uuid: "OTHER" })));
      refuses("EBUSY", () => machine.createMapping(mappingOf("second", line, { uuid: first.uuid })));
      deepEqual(machine.listMappings(), [first]);
      equal(machine.readLink("/dev/mapper/first"), `../${first.device}`);
      machine.removeMapping("first");
      machine.detachLoop(device);
    },
  },
  {
    name: "a name that is a path, the control node's, too long or not to be printed is EINVAL; any other is as it is",
    check(machine, directory) {
      const device = attachBytes(machine, directory, PLAIN);
      const line = tableLine("linear", 16, `${device} 0`);
      const names = [
        "",
        ".",
        "..",
        "control",
        "a/b",
        "../x",
        "n".repeat(128),
        "ä".repeat(64),
        "a\0b",
        "a\nb",
        "\x1b[2J",
      ];
      for (const name of names) {
        refuses("EINVAL", () => machine.createMapping(mappingOf(name, line, { uuid: "" })));
        refuses("EINVAL", () => machine.removeMapping(name));
      }
      for (const uuid of ["u".repeat(129), "a\0b", "a\nb"])
        refuses("EINVAL", () => machine.createMapping(mappingOf("plain", line, { uuid })));
      for (const type of ["", "t".repeat(16), "linear\0"])
        refuses("EINVAL", () => machine.createMapping(mappingOf("plain", { ...line, type })));
      for (const sectors of [-1, 0.5, Number.NaN, 2 ** 60])
        refuses("EINVAL", () => machine.createMapping(mappingOf("plain", { ...line, sectors })));
      const parameters = Buffer.from(`${device}\0 0`);
      refuses("EINVAL", () => machine.createMapping(mappingOf("plain", { ...line, parameters })));
      expectNoMapping(machine);
      for (const name of ["n".repeat(127), "a b", "ü:*?\\x41", "-"]) {
        const mapping = machine.createMapping(mappingOf(name, line, { uuid: "" }));
        deepEqual(machine.listMappings(), [mapping]);
        equal(readDevice(machine, `/dev/mapper/${name}`).length, PLAIN.length);
        machine.removeMapping(name);
      }
      machine.detachLoop(device);
    },
  },
];
