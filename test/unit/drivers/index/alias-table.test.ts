import { expect, test } from "bun:test";
import fc from "fast-check";
import { buildAliasTable, findByAlias, readAliasTable } from "../../../../src/drivers/index/alias-table.ts";
import { parseAliases } from "../../../../src/drivers/index/kernel-files.ts";
import { findLines, sortLines } from "../../../../src/drivers/index/sorted-lines.ts";
import { matchesWildcard } from "../../../../src/drivers/index/wildcard.ts";

const ORDER = ["virtio_pci", "ahci", "ata_generic", "button"];
const TABLE = buildAliasTable(
  [
    { pattern: "pci:v*d*sv*sd*bc01sc01i*", module: "ata_generic" },
    { pattern: "pci:v00008086d00002922sv*sd*bc*sc*i*", module: "ahci" },
    { pattern: "pci:v*d*sv*sd*bc01sc06i01*", module: "ahci" },
    { pattern: "acpi*:PNP0C0C:*", module: "button" },
    { pattern: "fs_ext4", module: "ext4" },
    { pattern: "fs_ext4", module: "other" },
    { pattern: "broken\tpattern", module: "nothing" },
  ],
  (module) => ORDER.indexOf(module),
);

test.each([
  ["pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", ["ahci"]],
  ["pci:v00008086d00002922sv00001AF4sd00001100bc01sc01i80", ["ahci", "ata_generic"]],
  ["pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00", []],
  ["acpi:PNP0C0C:", ["button"]],
  ["acpi:LNXPWRBN:PNP0C0C:", ["button"]],
  ["acpi:PNP0C0D:", []],
  ["fs_ext4", ["ext4", "other"]],
  ["fs_ext", []],
  ["", []],
  ["pci:", []],
])("%j leads to %j", (alias, modules) => expect(findByAlias(TABLE, alias)).toEqual(modules));

test("any table finds what comparing every pattern finds, in the modules' order", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ":"), maxLength: 6 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ":", "*", "?"), minLength: 1, maxLength: 6 });
  const aliases = fc.array(fc.record({ pattern, module: fc.constantFrom("m1", "m2", "m3") }), { maxLength: 30 });
  fc.assert(
    fc.property(aliases, text, (lines, alias) => {
      const matching = lines.filter((line) => matchesWildcard(line.pattern, alias)).map(({ module }) => module);
      const table = buildAliasTable(lines, (module) => Number(module.slice(1)));
      expect(findByAlias(table, alias)).toEqual([...new Set(matching)].sort());
    }),
    { numRuns: 1000 },
  );
});

test("a table that is read bus by bus is the one that is built at once, for any modules.alias", () => {
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ":", "*", "[", "]", "-", "_", " ", "\\"), maxLength: 7 });
  const line = fc.tuple(fc.constantFrom("alias ", "#alias ", "alias"), pattern, fc.constantFrom(" m1", " m-2", ""));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const text = lines.map((words) => `${words.join("")}\n`).join("");
      const orderOf = (module: string) => module.length;
      const whole = buildAliasTable(parseAliases(text), orderOf);
      const read = readAliasTable(text, orderOf);
      for (const bus of [...whole.keys(), ...read.keys(), "no"]) expect(read.get(bus)).toEqual(whole.get(bus));
      expect([...read.keys()]).toEqual(expect.arrayContaining([...whole.keys()]));
    }),
    { numRuns: 2000 },
  );
});

test("sorted lines: a search finds what comparing every line finds, in any text", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "\t", "~"), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(word), word, (lines, key) => {
      const wanted = [...new Set(lines)].filter((line) => line.startsWith(key)).map((line) => line.slice(key.length));
      expect(findLines(sortLines(lines), key).sort()).toEqual(wanted.sort());
    }),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(fc.string(), fc.string(), (anything, key) => Array.isArray(findLines(anything, key))));
});
