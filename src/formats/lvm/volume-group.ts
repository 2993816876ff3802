import { type ConfigSection, parseConfigText } from "./config-text.ts";

/** A volume group, as its metadata describe it. All names are LVM's: letters, digits, and "+_.-". */
export interface VolumeGroup {
  readonly name: string;
  /** With dashes, as vgs prints it. */
  readonly id: string;
  /** Raised by each change: of two descriptions, the one with the higher number counts. */
  readonly seqno: number;
  /** "READ", "WRITE", "EXPORTED", "CLUSTERED", … */
  readonly status: readonly string[];
  /** The host that alone may use it; null for any. */
  readonly systemId: string | null;
  /** "sanlock", "dlm", …: it is shared between hosts; null if it is not. */
  readonly lockType: string | null;
  readonly extentSectors: number;
  readonly physicalVolumes: readonly GroupMember[];
  readonly volumes: readonly LogicalVolume[];
}

/** A physical volume, as its group describes it. */
export interface GroupMember {
  /** By which segments name it: "pv0". */
  readonly key: string;
  readonly id: string;
  /** Sectors of the device; 0 if it is not recorded. */
  readonly sectors: number;
  /** The sector at which its extents begin. */
  readonly startSector: number;
  readonly extents: number;
  readonly status: readonly string[];
}

/** A logical volume, or a part of one that has no name of its own. */
export interface LogicalVolume {
  readonly name: string;
  readonly id: string;
  readonly status: readonly string[];
  /** Sectors, -1 for none; null if lvm2 chooses. */
  readonly readAhead: number | null;
  /** From extent 0 on, without gaps. */
  readonly segments: readonly Segment[];
}

/** A range of a logical volume. */
export interface Segment {
  readonly startExtent: number;
  readonly extents: number;
  /** "striped", "raid1", "thin", … */
  readonly type: string;
  /** Everything that the text says about it. */
  readonly fields: ConfigSection["values"];
  /** The settings of a cache's policy; null if there are none. */
  readonly policy: ConfigSection["values"] | null;
}

/** A name that is safe as a part of a path and of a report (lib/misc/lvm-string.c: validate_name). */
const NAME = /^(?!-)(?!\.{1,2}$)[\w+.-]{1,127}$/;
const ID = /^[\dA-Za-z!#]{6}(?:-[\dA-Za-z!#]{4}){5}-[\dA-Za-z!#]{6}$/;
const MOST_EXTENT_SECTORS = 2 ** 32;
const NONE: ConfigSection = { values: new Map(), sections: new Map() };

/** Parses the text of a metadata area (lib/format_text/import_vsn1.c); null if it is malformed or contradicts itself. */
export function parseVolumeGroup(text: string): VolumeGroup | null {
  const [entry, ...others] = parseConfigText(text)?.sections ?? [];
  if (entry === undefined || others.length > 0) return null;
  const [name, section] = entry;
  const id = textOf(section, "id");
  const seqno = countOf(section, "seqno");
  const extentSectors = countOf(section, "extent_size");
  const physicalVolumes = all(section, "physical_volumes", parseMember);
  const volumes = all(section, "logical_volumes", parseVolume);
  if (!NAME.test(name) || id === null || !ID.test(id) || seqno === null || !isExtent(extentSectors)) return null;
  if (physicalVolumes === null || volumes === null || !areUnique(physicalVolumes, volumes)) return null;
  return {
    name,
    id,
    seqno,
    status: [...listOf(section, "status"), ...listOf(section, "flags")],
    systemId: textOf(section, "system_id") || null,
    lockType: textOf(section, "lock_type") || null,
    extentSectors,
    physicalVolumes,
    volumes,
  };
}

function isExtent(sectors: number | null): sectors is number {
  return sectors !== null && sectors > 0 && sectors <= MOST_EXTENT_SECTORS;
}

function areUnique(members: readonly GroupMember[], volumes: readonly LogicalVolume[]): boolean {
  const isUnique = (ids: readonly string[]) => new Set(ids).size === ids.length;
  return isUnique(members.map(({ id }) => id)) && isUnique(volumes.map(({ id }) => id));
}

/** Parses each section of `name`; null if one is malformed. */
function all<Result>(
  group: ConfigSection,
  name: string,
  parse: (name: string, section: ConfigSection) => Result | null,
): readonly Result[] | null {
  const results = [...(group.sections.get(name) ?? NONE).sections].map(([key, section]) => parse(key, section));
  const parsed = results.filter((result) => result !== null);
  return parsed.length === results.length ? parsed : null;
}

function parseMember(key: string, section: ConfigSection): GroupMember | null {
  const id = textOf(section, "id");
  const [startSector, extents] = [countOf(section, "pe_start"), countOf(section, "pe_count")];
  if (id === null || !ID.test(id) || startSector === null || extents === null) return null;
  const status = [...listOf(section, "status"), ...listOf(section, "flags")];
  return { key, id, sectors: countOf(section, "dev_size") ?? 0, startSector, extents, status };
}

function parseVolume(name: string, section: ConfigSection): LogicalVolume | null {
  const id = textOf(section, "id");
  const count = countOf(section, "segment_count") ?? 0;
  if (!NAME.test(name) || id === null || !ID.test(id) || count > section.sections.size) return null;
  const segments = Array.from({ length: count }, (_, index) =>
    parseSegment(section.sections.get(`segment${index + 1}`)),
  );
  const parsed = segments.filter((segment) => segment !== null);
  let end = 0;
  const areInOrder = parsed.every(({ startExtent, extents }) => {
    const isNext = startExtent === end && extents > 0;
    end += extents;
    return isNext;
  });
  if (parsed.length < count || !areInOrder || !Number.isSafeInteger(end)) return null;
  const status = [...listOf(section, "status"), ...listOf(section, "flags")];
  const readAhead = section.values.get("read_ahead");
  return { name, id, status, readAhead: Number.isSafeInteger(readAhead) ? Number(readAhead) : null, segments: parsed };
}

function parseSegment(section: ConfigSection | undefined): Segment | null {
  if (section === undefined) return null;
  const [startExtent, extents] = [countOf(section, "start_extent"), countOf(section, "extent_count")];
  const type = textOf(section, "type");
  return startExtent === null || extents === null || type === null
    ? null
    : {
        startExtent,
        extents,
        type,
        fields: section.values,
        policy: section.sections.get("policy_settings")?.values ?? null,
      };
}

function textOf({ values }: ConfigSection, name: string): string | null {
  const value = values.get(name);
  return typeof value === "string" ? value : null;
}

function countOf({ values }: Pick<ConfigSection, "values">, name: string): number | null {
  const value = values.get(name);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** The strings of an array; other entries have no meaning. */
function listOf({ values }: ConfigSection, name: string): readonly string[] {
  const value = values.get(name);
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
