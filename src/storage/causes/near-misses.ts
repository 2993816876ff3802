import { type BlockDevice, describeDevice, type PartitionName } from "../../devices/block-devices.ts";
import { describeNoFilesystem } from "../../formats/contents.ts";
import { type DeviceSpec, formatDeviceSpec } from "../../parameters/device-spec.ts";
import { nearestName } from "../../parameters/near-misses.ts";
import type { SearchCause } from "../../problems/causes/search.ts";

/** A near miss without the parameter, which the caller knows. */
type NearMiss = Omit<SearchCause, "parameter">;
type NamePartition = (device: BlockDevice) => PartitionName;

const MOST = 3;

/** Finds devices that a person may have meant by a spec that names none: the label was cut or respelled, the value belongs to another tag, or the disk has another name now. */
export function findNearMisses(
  spec: DeviceSpec,
  devices: readonly BlockDevice[],
  name: NamePartition,
): readonly NearMiss[] {
  switch (spec.by) {
    case "label":
      return first(findLabels(spec.value, devices), findTags(spec, devices, name));
    case "uuid":
    case "partlabel":
    case "partuuid":
      return findTags(spec, devices, name).slice(0, MOST);
    case "path":
      return findMoved(spec.path, devices).slice(0, MOST);
    case "sibling":
      return findNearMisses(spec.of, devices, name);
    default:
      return [];
  }
}

function first(...lists: readonly (readonly NearMiss[])[]): readonly NearMiss[] {
  return (lists.find(({ length }) => length > 0) ?? []).slice(0, MOST);
}

/** How many bytes of a label a filesystem keeps, by the manual pages of their mkfs programs. */
const LABEL_BYTES: Readonly<Record<string, number>> = {
  ...{ vfat: 11, msdos: 11, exfat: 11, xfs: 12 },
  ...{ ext2: 16, ext3: 16, ext4: 16, swap: 16, iso9660: 32, ntfs: 32 },
};

function findLabels(wanted: string, devices: readonly BlockDevice[]): readonly NearMiss[] {
  return devices.flatMap((device) => {
    const { label, type } = device.facts;
    const limit = Object.hasOwn(LABEL_BYTES, type ?? "") ? (LABEL_BYTES[type ?? ""] ?? null) : null;
    if (label === null || label === wanted) return [];
    const [have, want] = [plain(label), plain(wanted)];
    // A space at the place of the cut is lost too.
    const isCut = limit !== null && have.length >= limit - 1 && want.startsWith(have) && want.length > have.length;
    if (!isCut && !isSpelledAlike(want, have) && !hasSameLetters(wanted, label)) return [];
    const detail = [`LABEL=${label}`, ...(isCut ? [String(limit)] : [])];
    return [{ kind: "other-label" as const, subject: describeDevice(device), detail }];
  });
}

/** Without what mkfs programs change: capitals, and characters that a label cannot have. */
function plain(label: string): string {
  return label.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "_");
}

const SHORTEST_WORD = 4;

/** Names of their own, which are no misspelling of each other. */
const WORDS = new Set(["root", "boot", "home", "swap", "data", "system"]);
const digits = (text: string) => text.replaceAll(/[^0-9]/g, "");

/** Two labels that differ in a number, or in their last letter, are two of a set: ROOT_A and ROOT_B. */
function isSpelledAlike(want: string, have: string): boolean {
  if (want === have) return true;
  const isOfSet = digits(want) !== digits(have) || want.slice(0, -1) === have.slice(0, -1);
  const isLong = Math.min(want.length, have.length) >= SHORTEST_WORD;
  return isLong && !isOfSet && !(WORDS.has(want) && WORDS.has(have)) && nearestName(want, [have]) !== null;
}

/** The same ASCII letters around others: a label may be in the code page of the system that wrote it, and is no UTF-8 then. */
function hasSameLetters(wanted: string, label: string): boolean {
  if (!label.includes("\\x")) return false;
  const [want = "", have] = [wanted, label].map((text) =>
    text
      .toLowerCase()
      .replaceAll(/\\x[0-9a-f]{2}|[^a-z0-9]/g, "_")
      .replaceAll(/_+/g, "_"),
  );
  return want === have && want.replaceAll("_", "").length >= SHORTEST_WORD;
}

/** The filesystems that a Linux system is installed on. */
const ROOT_TYPES = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs"];

/** What may hold a root that is not seen yet. */
const CONTAINERS = /^crypto_LUKS$|_member$|^bcache$/;

/** The only device that can be meant for the root, whatever UUID it has: a filesystem that is made again gets another one. */
export function findOnlyRoot(devices: readonly BlockDevice[]): readonly NearMiss[] {
  if (devices.some(({ facts, unreadable }) => unreadable !== null || CONTAINERS.test(facts.type ?? ""))) return [];
  const [only, ...others] = devices.filter(({ facts }) => ROOT_TYPES.includes(facts.type ?? ""));
  const uuid = only?.facts.uuid ?? null;
  if (only === undefined || uuid === null || others.length > 0 || only.facts.label === "LEVAIN-LOG") return [];
  return [{ kind: "other-uuid", subject: describeDevice(only), detail: [`UUID=${uuid}`] }];
}

/** A UUID as PARTUUID and the like: the tools print them side by side. */
function findTags(
  spec: Extract<DeviceSpec, { readonly value: string }>,
  devices: readonly BlockDevice[],
  name: NamePartition,
): readonly NearMiss[] {
  const wanted = spec.value.toLowerCase();
  return devices.flatMap((device) => {
    const { uuid, label } = name(device);
    const tags = { UUID: device.facts.uuid, LABEL: device.facts.label, PARTUUID: uuid, PARTLABEL: label };
    const found = Object.entries(tags).find(
      ([tag, value]) => tag.toLowerCase() !== spec.by && value !== null && value.toLowerCase() === wanted,
    );
    if (found === undefined) return [];
    return [{ kind: "other-tag" as const, subject: describeDevice(device), detail: [found.join("=")] }];
  });
}

/** The kernel's names of disks, which depend on the controller; the group is the number of the partition. */
const DISK_PATHS = [/^\/dev\/(?:[shv]d|xvd)[a-z]+(\d*)$/, /^\/dev\/(?:nvme\d+n\d+|mmcblk\d+)(?:p(\d+))?$/];

/** Filesystems and encrypted volumes at the same place of another disk. */
function findMoved(path: string, devices: readonly BlockDevice[]): readonly NearMiss[] {
  const match = DISK_PATHS.map((pattern) => pattern.exec(path)).find((found) => found !== null);
  if (match === undefined) return [];
  const index = Number(match?.[1] ?? "");
  const isUsable = ({ facts: { type } }: BlockDevice) =>
    type !== null && (type === "crypto_LUKS" || describeNoFilesystem(type) === null);
  const isSamePlace = ({ partition, name }: BlockDevice) =>
    index === 0 ? partition === null && !/^(?:dm-|loop|sr)/.test(name) : partition?.index === index;
  return devices
    .filter((device) => isUsable(device) && isSamePlace(device))
    .map((device) => {
      const { uuid } = device.facts;
      const spec: DeviceSpec = uuid === null ? { by: "path", path: device.node } : { by: "uuid", value: uuid };
      return { kind: "moved" as const, subject: describeDevice(device), detail: [path, formatDeviceSpec(spec)] };
    });
}
