import { expect, test } from "bun:test";
import { fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";

const MODULES = "/lib/modules/6.1.0-fake";
const DISKS = ["A", "B", "C"].map((label, index) => ({ name: `vd${"abc"[index]}`, image: rootImage(label) }));

function bootWith(
  machines: Readonly<Record<string, readonly string[]>>,
  more: { readonly cmdline?: string; readonly sys?: FakeTree; readonly files?: FakeTree } & Pick<
    NonNullable<Parameters<typeof fakeBoot>[0]>,
    "modules"
  > = {},
) {
  const manifest = { version: 1, kernel: null, parameters: ["root=LABEL=A", "rd.timeout=5"], machines };
  const files = { ...INITRAMFS, ...more.files, "/etc/levain.json": JSON.stringify(manifest) };
  const { journal, console } = fakeBoot({ disks: DISKS, ...more, files });
  return { root: journal.find((line) => line.startsWith("mount ext4"))?.split(" ")[2], journal, console };
}

const DMI = (serial: string, product = "R640"): FakeTree => ({
  "/class/dmi/id/product_serial": `${serial}\n`,
  "/class/dmi/id/product_name": `${product}\n`,
});

test("a table for this machine overrides the parameters of all machines, and the command line overrides both", () => {
  const tables = { B5R42N2: ["root=LABEL=B"], other: ["root=LABEL=C"] };
  expect(bootWith(tables).root).toBe("/dev/vda");
  expect(bootWith(tables, { sys: DMI("B5R42N2") }).root).toBe("/dev/vdb");
  expect(bootWith(tables, { sys: DMI("B5R42N2"), cmdline: "root=LABEL=C" }).root).toBe("/dev/vdc");
  expect(bootWith({ ...tables, R640: ["root=LABEL=C"] }, { sys: DMI("B5R42N2") }).root).toBe("/dev/vdb");
  expect(bootWith({ R640: ["root=LABEL=C"] }, { sys: DMI("x") }).root).toBe("/dev/vdc");
});

test("what the firmware's maker has not filled in names no machine", () => {
  const filler = "To Be Filled By O.E.M.";
  expect(bootWith({ [filler]: ["root=LABEL=B"] }, { sys: DMI(filler, filler) }).root).toBe("/dev/vda");
});

test("a hardware address is that of the boot loader, or of an interface whose driver is loaded for it", () => {
  const tables = { "52:54:00:AB:CD:EF": ["root=LABEL=B"] };
  const loader = bootWith(tables, { cmdline: "BOOTIF=01-52-54-00-ab-cd-ef" });
  expect(loader.root).toBe("/dev/vdb");
  const interfaceOf = { "/class/net/eth0/address": "52:54:00:ab:cd:ef\n" };
  expect(bootWith(tables, { sys: interfaceOf }).root).toBe("/dev/vdb");
  const { root, journal } = bootWith(tables, {
    sys: { "/bus/pci/devices/0000:00:03.0/modalias": "pci:nic" },
    files: {
      [`${MODULES}/modules.dep`]: "kernel/drivers/net/nic.ko:\n",
      [`${MODULES}/modules.alias`]: "alias pci:nic nic\n",
      [`${MODULES}/kernel/drivers/net/nic.ko`]: "module",
    },
    modules: { nic: { sys: interfaceOf } },
  });
  expect(root).toBe("/dev/vdb");
  expect(journal).toContain(`load ${MODULES}/kernel/drivers/net/nic.ko`);
});

test("a mistake in a table is a mistake only on its machine", () => {
  const tables = { B5R42N2: ["rd.timeout=soon"] };
  expect(bootWith(tables).root).toBe("/dev/vda");
  expect(bootWith(tables, { sys: DMI("B5R42N2") }).console).toContain(
    "a mistake in the tables of levain.toml for this machine",
  );
});
