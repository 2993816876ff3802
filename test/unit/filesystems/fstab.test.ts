import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { hasOption, parseFstab } from "../../../src/filesystems/fstab.ts";

test("reads lines as getmntent(3) does", () => {
  const text = `# LABEL=A / ext4
  #x /x ext4
LABEL=A\t/\text4   defaults,noatime 0 1
/dev/sda2 none swap sw
  UUID=1-2  /a\\040b\\011c\\134d   auto
onlysource
nul /a\\000b ext4
tmpfs /tmp tmpfs mode=1777 0 00\r`;
  const rest = { options: "defaults", isChecked: false };
  expect(parseFstab(text)).toEqual([
    { source: "LABEL=A", target: "/", type: "ext4", options: "defaults,noatime", isChecked: true },
    { source: "/dev/sda2", target: "none", type: "swap", options: "sw", isChecked: false },
    { source: "UUID=1-2", target: "/a b\tc\\d", type: "auto", ...rest },
    { source: "tmpfs", target: "/tmp", type: "tmpfs", options: "mode=1777", isChecked: false },
  ]);
  expect(hasOption("a,nofail,b", "nofail")).toBe(true);
  expect(hasOption("nofail2", "nofail")).toBe(false);
});

test("any text is a table, in bounded time", () => {
  const fields = fc.array(fc.string({ unit: fc.constantFrom(..."\\040#/=,\t \r\n.aé\0") }), { maxLength: 40 });
  fc.assert(
    fc.property(fields, (parts) => {
      for (const { source, target } of parseFstab(parts.join(" "))) {
        expect(source.startsWith("#")).toBe(false);
        expect(target).not.toBe("");
      }
    }),
    { numRuns: 500 },
  );
  expect(parseFstab("\\040 ".repeat(20_000)).length).toBe(1);
});
