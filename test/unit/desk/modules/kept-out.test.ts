import { expect, test } from "bun:test";
import { warnOfKeptOut } from "../../../../src/desk/modules/kept-out.ts";
import { parseModprobeConfig } from "../../../../src/drivers/index/modprobe-config.ts";
import { buildModuleIndex } from "../../../../src/drivers/index/module-index.ts";

const PATHS = [
  "drivers/usb/storage/usb-storage",
  "fs/squashfs/squashfs",
  "drivers/ata/ahci",
  "drivers/ata/libata",
  "drivers/block/loop",
  "drivers/block/floppy",
  "drivers/mmc/host/sdhci-acpi",
  "drivers/gpu/nouveau",
  "drivers/net/card",
];
const index = buildModuleIndex("6.1", {
  dep: PATHS.map((path) => `kernel/${path}.ko:\n`).join(""),
  alias: `alias usb:v*p*d*dc*dsc*dp*ic08isc06ip50in* usb_storage
alias fs-squashfs squashfs
alias pci:v*d*sv*sd*bc01sc06i01* ahci
alias devname:loop-control loop
alias block-major-7-* loop
alias acpi*:80860F14:* sdhci_acpi
alias pci:v000010DEd* nouveau
alias pci:v00001D2Cd* card
`,
  softdep: "",
  order: "",
  builtin: "",
  builtinModinfo: "",
});
const names = PATHS.map((path) => path.slice(path.lastIndexOf("/") + 1).replaceAll("-", "_"));

function warnings(text: string, asked: readonly string[] = [], loaded: readonly string[] = []): readonly string[] {
  const files = [{ name: "a.conf", path: "/etc/modprobe.d/a.conf", text }];
  return warnOfKeptOut({ source: { index, config: parseModprobeConfig(files) }, names, asked }, files, loaded);
}

test.each([
  ["usb_storage", "install usb-storage /bin/true"],
  ["squashfs", "install squashfs /bin/false"],
  ["libata", "install libata /bin/true"],
  ["ahci", "blacklist ahci"],
  ["squashfs", "blacklist squashfs"],
  ["sdhci_acpi", "blacklist sdhci-acpi"],
])("%s is kept out by %p", (name, line) => {
  expect(warnings(`# hardening\n${line}\n`)).toEqual([
    `${name} will not be loaded: /etc/modprobe.d/a.conf has "${line}"; leave modprobe.d files out with --modprobe-dir none`,
  ]);
});

test("a module has one warning, for the stronger line", () => {
  expect(warnings("blacklist usb-storage\ninstall usb-storage /bin/false\n")).toEqual([
    expect.stringContaining('has "install usb-storage /bin/false"'),
  ]);
});

test.each([
  "blacklist nouveau\nblacklist pcspkr\ninstall snd /bin/true\nblacklist floppy\nblacklist card",
  // No device asks for these two: a dependency, and one that the boot loads by name.
  "blacklist libata\nblacklist loop",
  "install ahci /sbin/modprobe --ignore-install ahci",
  "options ahci mobile_lpm_policy=1\nsoftdep ahci pre: libata",
])("no warning for %p", (text) => {
  expect(warnings(text)).toEqual([]);
});

test("a module that was asked for is reported, unless rd.modules= loads it by its name", () => {
  const asked = ["card"];
  expect(warnings("blacklist card", asked)).toEqual([expect.stringContaining('has "blacklist card"')]);
  expect(warnings("blacklist card", asked, ["pci:v00001D2Cd1"])).toHaveLength(1);
  expect(warnings("blacklist card", asked, ["card"])).toEqual([]);
  expect(warnings("install card /bin/false", asked, ["card"])).toHaveLength(1);
});

test("many storage modules and filesystems have one warning; one that was asked for has its own", () => {
  const lines = ["squashfs", "ahci", "sdhci-acpi", "usb-storage"].map((name) => `blacklist ${name}\n`).join("");
  expect(warnings(lines)).toEqual([
    'usb_storage, squashfs, ahci, sdhci_acpi will not be loaded: modprobe.d says so, as /etc/modprobe.d/a.conf has "blacklist usb-storage"; leave modprobe.d files out with --modprobe-dir none',
  ]);
  expect(warnings(`${lines}blacklist nouveau\n`, ["nouveau"])).toEqual([
    expect.stringContaining("nouveau will not be loaded: /etc"),
    expect.stringContaining("usb_storage, squashfs, ahci, sdhci_acpi will"),
  ]);
});
