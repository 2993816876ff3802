import { describe, expect, test } from "bun:test";
import type { BlockDevice } from "../../../src/devices/block-devices.ts";
import { parseDeviceSpec } from "../../../src/parameters/device-spec.ts";
import { type Look, matchDevices } from "../../../src/storage/match.ts";

// UUIDs as libblkid prints them: those of FAT, exFAT and NTFS are in capitals, of the others in small letters.
const UUIDS: Readonly<Record<string, string>> = {
  vfat: "1A2B-3C4D",
  ntfs: "0D7F5457791A5E2F",
  iso9660: "2026-11-29-07-33-58-00",
  ext4: "0dcfd1ec-2ac6-4593-bc91-e8a4415d4ff2",
};
const PARTUUID = "1dcf10bc-637e-4c52-8203-087ae10a820b";

const devices = Object.entries(UUIDS).map(([type, uuid], index) => {
  const facts = { type, uuid, label: null, partitionTable: null };
  const partition = { disk: `sd${"abcd"[index]}`, number: 1 };
  return { name: `sd${"abcd"[index]}1`, node: `/dev/sd${"abcd"[index]}1`, number: `8:${index}`, facts, partition };
}) as unknown as readonly BlockDevice[];

const look: Look = {
  name: ({ name }) => ({ label: null, uuid: name === "sda1" ? PARTUUID : null, autoType: null }),
  links: () => [],
  holds: () => false,
};

function find(text: string): readonly string[] {
  const spec = parseDeviceSpec(text);
  return spec === null ? ["not a device"] : matchDevices(spec, devices, look).map(({ name }) => name);
}

describe("a UUID is found in capitals and in small letters", () => {
  test.each(Object.entries(UUIDS))("of %s: %s", (type, uuid) => {
    const name = devices.find(({ facts }) => facts.type === type)?.name ?? "";
    for (const spelling of [uuid, uuid.toLowerCase(), uuid.toUpperCase()]) {
      expect(find(`UUID=${spelling}`)).toEqual([name]);
      expect(find(`UUID="${spelling}"`)).toEqual([name]);
      expect(find(`/dev/disk/by-uuid/${spelling}`)).toEqual([name]);
    }
  });

  test("of a partition", () => {
    for (const spelling of [PARTUUID, PARTUUID.toUpperCase()]) {
      expect(find(`PARTUUID=${spelling}`)).toEqual(["sda1"]);
      expect(find(`/dev/disk/by-partuuid/${spelling}`)).toEqual(["sda1"]);
    }
  });

  test("but no part of one", () => {
    expect(find("UUID=1a2b")).toEqual([]);
    expect(find("UUID=1a2b3c4d")).toEqual([]);
  });
});
