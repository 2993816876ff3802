import { expect, test } from "bun:test";
import fc from "fast-check";
import { CASPER_FILES, readCasperFiles } from "../../../src/parameters/dialects/casper-files.ts";

const read = (boot: string | null, layer: string | null, uuid: string | null) =>
  readCasperFiles(
    (path) => ({ [CASPER_FILES.boot]: boot, [CASPER_FILES.layer]: layer, [CASPER_FILES.uuid]: uuid })[path] ?? null,
  );

test.each([
  [
    "export BOOT=casper\n",
    "LAYERFS_PATH=a.b.squashfs\n",
    "ab-12\n",
    ["boot=casper", "layerfs-path=a.b.squashfs", "uuid=ab-12"],
  ],
  [
    'if [ -z "$BOOT" ]; then\n  export BOOT="casper"\nfi\n',
    'export LAYERFS_PATH="a.squashfs"',
    null,
    ["boot=casper", "layerfs-path=a.squashfs"],
  ],
  ["BOOT=local\n", "LAYERFS_PATH=$(cat /x)\n", "two words\n", []],
  [null, null, null, []],
])("%p %p %p", (boot, layer, uuid, expected) => {
  expect(read(boot, layer, uuid)).toEqual(expected);
});

test("nothing in these files adds another parameter", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (boot, layer, uuid) => {
      for (const parameter of read(boot, `LAYERFS_PATH=${layer}\n${layer}`, uuid)) {
        expect(parameter).toMatch(/^(?:boot=casper|layerfs-path=[\w.+/-]+|uuid=[0-9a-fA-F-]+)$/);
      }
    }),
  );
});
