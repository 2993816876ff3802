import { countOf, isRefusal, type Planning, type PlanSegment, type Refusal, type TableWord } from "./planning.ts";

/** The kernel's names of the types, by LVM's. */
const KERNEL_TYPES: Readonly<Record<string, string>> = {
  raid0: "raid0",
  raid0_meta: "raid0",
  raid1: "raid1",
  raid4: "raid4",
  raid5: "raid5_ls",
  raid5_ls: "raid5_ls",
  raid5_la: "raid5_la",
  raid5_rs: "raid5_rs",
  raid10: "raid10",
};

/** LVM's names of the RAID types that are activated. */
export const RAID_TYPES = Object.keys(KERNEL_TYPES);

/** A volume that is being rebuilt, reshaped or replaced: lvm2 decides what that needs. */
const CHANGING = /REBUILD|RESHAPE|WRITEMOSTLY|NOTSYNCED/;

const OTHERWISE: Refusal = { refusal: "its RAID has settings that are not supported yet" };

/** What changes how the array works, and is not planned here. */
const OTHER_SETTINGS = ["writebehind", "data_offset", "min_recovery_rate", "max_recovery_rate"];

/** Plans dm-raid (Documentation/admin-guide/device-mapper/dm-raid.rst): pairs of a metadata device and a data device, "-" without metadata. */
export const planRaid: PlanSegment = (planning, { type, fields }) => {
  const isWithoutMeta = type === "raid0";
  const value = fields.get(isWithoutMeta ? "raid0_lvs" : "raids");
  const devices = needParts(planning, Array.isArray(value) ? value.map(String) : []);
  if ("refusal" in devices) return devices;
  const words = isWithoutMeta ? devices.flatMap((device) => ["-", device]) : devices;
  const count = words.length / 2;
  const isWhole = count >= 1 && (fields.get("device_count") ?? fields.get("stripe_count")) === count;
  if (!isWhole || OTHER_SETTINGS.some((name) => fields.has(name))) return OTHERWISE;
  const region = countOf(fields, "region_size", 0);
  const options = [
    ...(region > 0 ? ["region_size", String(region)] : []),
    ...(type === "raid10" ? ["raid10_copies", String(countOf(fields, "data_copies", 2))] : []),
  ];
  const counted = [String(countOf(fields, "stripe_size", 0)), ...options];
  return {
    type: "raid",
    words: [KERNEL_TYPES[type] ?? type, String(counted.length), ...counted, String(count), ...words],
  };
};

/** MAX_RAID_DEVICES of drivers/md/dm-raid.c. */
const MOST_DEVICES = 253;

function needParts({ group, need }: Planning, names: readonly string[]): readonly TableWord[] | Refusal {
  if (names.length > 2 * MOST_DEVICES) return OTHERWISE;
  const parts = group.volumes.filter(({ name }) => names.includes(name));
  if (parts.some(({ status }) => CHANGING.test(status.join(" ")))) return { refusal: "its RAID is being changed" };
  const devices: TableWord[] = [];
  for (const name of names) {
    const device = need(name);
    // The first refusal ends it: crafted volumes that name each other often would be planned again and again.
    if (isRefusal(device)) return device;
    devices.push(device);
  }
  return devices;
}
