import type { Segment } from "../../../../formats/lvm/volume-group.ts";
import { countOf } from "./fields.ts";
import { malformed, needAll, type Planning, type PlanSegment, type Refusal, type TableWord } from "./planning.ts";

/** The kernel's names of the types, by LVM's, if they differ. */
const KERNEL_TYPES: Readonly<Record<string, string>> = { raid0_meta: "raid0", raid5: "raid5_ls", raid6: "raid6_zr" };

/** Returns the kernel's name of a RAID type. */
export const kernelType = (type: string): string => KERNEL_TYPES[type] ?? type;

/** LVM's names of the RAID types that are activated. */
export const RAID_TYPES = [
  ...["raid0", "raid0_meta", "raid1", "raid4", "raid10"],
  ...["raid5", "raid5_ls", "raid5_la", "raid5_rs", "raid5_ra", "raid5_n"],
  ...["raid6", "raid6_zr", "raid6_nr", "raid6_nc", "raid6_n_6"],
  ...["raid6_ls_6", "raid6_la_6", "raid6_rs_6", "raid6_ra_6"],
];

/** A volume that is being rebuilt, reshaped or replaced: lvm2 decides what that needs, and writes down what it has begun. */
const CHANGING = /REBUILD|RESHAPE/;

/** MAX_RAID_DEVICES of drivers/md/dm-raid.c. */
const MOST_DEVICES = 253;

/** Plans dm-raid (Documentation/admin-guide/device-mapper/dm-raid.rst): pairs of a metadata device and a data device, "-" without metadata. */
export const planRaid: PlanSegment = (planning, { type, fields }) => {
  const isWithoutMeta = type === "raid0";
  const value = fields.get(isWithoutMeta ? "raid0_lvs" : "raids");
  const names = Array.isArray(value) ? value.map(String) : [];
  const width = isWithoutMeta ? 1 : 2;
  const count = names.length / width;
  const isWhole = count >= 1 && (fields.get("device_count") ?? fields.get("stripe_count")) === count;
  if (!isWhole || count > MOST_DEVICES) return malformed("images");
  const statusOf = (name: string) => planning.index.volumes.get(name)?.status ?? [];
  const isChanging = fields.has("data_offset") || names.some((name) => CHANGING.test(statusOf(name).join(" ")));
  if (isChanging) return { refusal: "its RAID is being rebuilt or reshaped: lvm2 has to finish that" };
  const images = Array.from({ length: count }, (_, index) => names.slice(index * width, (index + 1) * width));
  const devices = needImages(planning, images, createTolerance(type, fields, count));
  if ("refusal" in devices) return devices;
  const mostly = images.flatMap((image, index) =>
    image.some((name) => statusOf(name).includes("WRITEMOSTLY")) ? ["write_mostly", String(index)] : [],
  );
  const options = [String(countOf(fields, "stripe_size", 0)), ...listOptions(type, fields, mostly)];
  return {
    type: "raid",
    words: [
      kernelType(type),
      String(options.length),
      ...options,
      String(count),
      ...devices.flatMap((pair) => (isWithoutMeta ? ["-", ...pair] : pair)),
    ],
  };
};

/** In the order of the kernel's documentation. */
function listOptions(type: string, fields: Segment["fields"], mostly: readonly string[]): readonly string[] {
  const option = (field: string, name: string) => {
    const value = countOf(fields, field, 0);
    return value === 0 ? [] : [name, String(value)];
  };
  return [
    ...option("min_recovery_rate", "min_recovery_rate"),
    ...option("max_recovery_rate", "max_recovery_rate"),
    ...mostly,
    ...option("writebehind", "max_write_behind"),
    ...option("region_size", "region_size"),
    ...(type === "raid10" ? ["raid10_copies", String(countOf(fields, "data_copies", 2))] : []),
  ];
}

/** Says whether the data are complete without these images. */
type Tolerance = (lost: readonly number[]) => boolean;

function createTolerance(type: string, fields: Segment["fields"], count: number): Tolerance {
  const copies = Math.max(1, countOf(fields, "data_copies", 2));
  // The copies of a chunk are on neighbours, the last of which may be the first again.
  const isGroupLost = (lost: readonly number[], first: number) =>
    Array.from({ length: copies }, (_, index) => (first + index) % count).every((index) => lost.includes(index));
  if (type === "raid1") return (lost) => lost.length < count;
  if (type === "raid10") {
    const step = count % copies === 0 ? copies : 1;
    return (lost) => !lost.some((_, at) => isGroupLost(lost, Math.floor((lost[at] ?? 0) / step) * step));
  }
  const most = { raid4: 1, raid5: 1, raid6: 2 }[type.slice(0, "raidN".length)] ?? 0;
  return (lost) => lost.length <= most;
}

/** Plans the images, and in place of those whose physical volumes are missing, devices that fail. */
function needImages(
  planning: Planning,
  images: readonly (readonly string[])[],
  isTolerable: Tolerance,
): readonly (readonly TableWord[])[] | Refusal {
  const lost: number[] = [];
  const devices: (readonly TableWord[])[] = [];
  for (const [index, image] of images.entries()) {
    let words = needAll(
      planning,
      image.map((name) => ({ name })),
    );
    if ("refusal" in words && words.isLack === true && isTolerable([...lost, index])) {
      if (!planning.lack.isPartial)
        return { ...words, refusal: `${words.refusal}: rd.lvm.partial activates the RAID without it` };
      lost.push(index);
      words = needAll(
        planning,
        image.map((name) => ({ name, isDegraded: true })),
      );
    }
    if ("refusal" in words) return words;
    devices.push(words);
  }
  return devices;
}
