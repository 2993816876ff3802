import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type DeviceSpec, formatDeviceSpec, parseDeviceSpec } from "../../../src/parameters/device-spec.ts";

const UUID = "0a1b2c3d-1234-5678-9abc-0123456789ab";
const path = (name: string): DeviceSpec => ({ by: "path", path: name });
const number = (major: number, minor: number): DeviceSpec => ({ by: "number", major, minor });
const partuuid = (value: string, partitionOffset = 0): DeviceSpec => ({ by: "partuuid", value, partitionOffset });

const TAKEN: readonly (readonly [string, DeviceSpec])[] = [
  ["/dev/sda1", path("/dev/sda1")],
  ["/dev/mapper/vg-root", path("/dev/mapper/vg-root")],
  ["/dev//disk/./by-id/usb-Stick-part1", path("/dev/disk/by-id/usb-Stick-part1")],
  ["/dev/disk/by-path/pci-0000:00:1f.2-ata-1", path("/dev/disk/by-path/pci-0000:00:1f.2-ata-1")],
  ["/dev/ram1", path("/dev/ram1")],
  ["LABEL=ROOT", { by: "label", value: "ROOT" }],
  ["label=ROOT", { by: "label", value: "ROOT" }],
  ['LABEL="My Disk"', { by: "label", value: "My Disk" }],
  ["LABEL=My\\x20Disk", { by: "label", value: "My Disk" }],
  ['LABEL="a\\x2fb\\x5cc"', { by: "label", value: "a/b\\c" }],
  ["PARTLABEL=EFI\\x20System", { by: "partlabel", value: "EFI System" }],
  ["LABEL=bad\\xff", { by: "label", value: "bad\\xff" }],
  ["LABEL=a\\xzz", { by: "label", value: "a\\xzz" }],
  ["LABEL=a=b/c", { by: "label", value: "a=b/c" }],
  ['LABEL="', { by: "label", value: '"' }],
  ["LABEL=Größe", { by: "label", value: "Größe" }],
  [`UUID=${UUID}`, { by: "uuid", value: UUID }],
  ["UUID=ABCD-1234", { by: "uuid", value: "ABCD-1234" }],
  [`UUID="${UUID}"`, { by: "uuid", value: UUID }],
  ["PARTLABEL=EFI System", { by: "partlabel", value: "EFI System" }],
  [`PARTUUID=${UUID}`, partuuid(UUID)],
  ["PARTUUID=deadbeef-02", partuuid("deadbeef-02")],
  ["PARTUUID=deadbeef-02/PARTNROFF=1", partuuid("deadbeef-02", 1)],
  ["PARTUUID=deadbeef-02/PARTNROFF=-1", partuuid("deadbeef-02", -1)],
  ["PARTUUID=deadbeef-02/PARTNROFF=0", partuuid("deadbeef-02")],
  ["PARTUUID=deadbeef-02/PARTNROFF=-0", partuuid("deadbeef-02")],
  ["/dev/disk/by-label/My\\x20Disk", { by: "label", value: "My Disk" }],
  ["/dev/disk/by-label/a\\x2fb\\x5cc", { by: "label", value: "a/b\\c" }],
  ["/dev/disk/by-label/Gr\\xc3\\xb6\\xc3\\x9fe", { by: "label", value: "Größe" }],
  ["/dev/disk/by-label/bad\\xff", { by: "label", value: "bad\\xff" }],
  ["/dev/disk/by-label/a\\xzz\\", { by: "label", value: "a\\xzz\\" }],
  [`/dev/disk/by-uuid/${UUID}`, { by: "uuid", value: UUID }],
  ["/dev/disk/by-partuuid/deadbeef-02", partuuid("deadbeef-02")],
  ["/dev/disk/by-partlabel/EFI\\x20System", { by: "partlabel", value: "EFI System" }],
  ["8:1", number(8, 1)],
  ["259:1048575", number(259, 1048575)],
  ["4095:0", number(4095, 0)],
  // new_decode_dev of linux/kdev_t.h: minor 0–7, major 8–19, the minor's upper bits from 20 on.
  ["0801", number(8, 1)],
  ["801", number(8, 1)],
  ["0x801", number(8, 1)],
  ["b302", number(179, 2)],
  ["B302", number(179, 2)],
  ["10300", number(259, 0)],
  ["00110302", number(259, 258)],
  ["ffffffff", number(4095, 1048575)],
];

const REFUSED: readonly string[] = [
  "",
  "sda1",
  "LABEL=",
  'LABEL=""',
  "UUID=",
  "PARTUUID=nothex",
  "PARTUUID=deadbeef-02/PARTNROFF=",
  "PARTUUID=deadbeef-02/PARTNROFF=x",
  "PARTUUID=/PARTNROFF=1",
  "/dev/",
  "/dev/disk/",
  "/dev/../etc/passwd",
  "/etc/passwd",
  "/dev/disk/by-label/",
  "4096:0",
  "8:1048576",
  "0:0",
  "0",
  "8:1:2",
  "8:",
  ":1",
  "1ffffffff",
  "nfs:server:/path",
  "tmpfs",
];

describe("accepts", () => {
  for (const [text, spec] of TAKEN) test(text, () => expect(parseDeviceSpec(text)).toEqual(spec));
});

describe("refuses", () => {
  for (const text of REFUSED) test(JSON.stringify(text), () => expect(parseDeviceSpec(text)).toBeNull());
});

describe("formats", () => {
  test.each([
    ["/dev/sda1", "/dev/sda1"],
    ["0801", "8:1"],
    ["LABEL=My Disk", "LABEL=My Disk"],
    ["/dev/disk/by-partlabel/x", "PARTLABEL=x"],
    ["PARTUUID=deadbeef-02/PARTNROFF=-1", "PARTUUID=deadbeef-02/PARTNROFF=-1"],
    ["partuuid=deadbeef-02", "PARTUUID=deadbeef-02"],
  ])("%s as %s", (text, formatted) => {
    const spec = parseDeviceSpec(text);
    expect(spec === null ? null : formatDeviceSpec(spec)).toBe(formatted);
  });

  test("so that parsing returns the same spec", () => {
    const text = fc.oneof(
      fc.constantFrom(...TAKEN.map(([taken]) => taken)),
      fc.string().map((label) => `LABEL=${label}`),
      fc.stringMatching(/^[0-9a-f]{1,8}$/),
      fc.string().map((name) => `/dev/${name}`),
    );
    const check = (given: string) => {
      const spec = parseDeviceSpec(given);
      // Quotes around a label are read as quotes, so one that has its own cannot come back.
      if (spec === null || /"/.test(given)) return;
      expect(parseDeviceSpec(formatDeviceSpec(spec))).toEqual(spec);
    };
    fc.assert(fc.property(text, check));
  });
});
