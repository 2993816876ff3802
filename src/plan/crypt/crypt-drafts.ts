import type { Crypttab } from "../../parameters/crypt/crypttab.ts";
import { type CryptOptions, joinOptions, parseCryptOptions, planPlain } from "../../parameters/crypt/options.ts";
import { DEFAULT_KEY_FILE, type HasFile, inImage, type Owned, type PlaceText } from "../../parameters/crypt/place.ts";
import { luksDevice, parseLuksId } from "../../parameters/crypt/text.ts";
import type { AskedVolume } from "../../parameters/crypt/values.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { tryParse } from "../../parameters/parse.ts";

/** A volume as one parameter or one line of crypttab asks for it, before the others for the same volume are joined to it. */
export interface Draft {
  /** The UUID or PARTUUID by which other parameters name it. */
  readonly id: string | null;
  readonly device: DeviceSpec;
  readonly name: string | null;
  /** Those of crypttab: weaker than what the command line says for all volumes. */
  readonly weak: CryptOptions;
  readonly strong: CryptOptions;
  readonly keys: readonly PlaceText[];
  readonly header: PlaceText | null;
  /** True if only crypttab asks for it. */
  readonly isTabled: boolean;
}

const BARE = { id: null, name: null, weak: {}, strong: {}, keys: [], header: null, isTabled: false } as const;

/** True if two ids mean the same volume: either may be only the beginning of a UUID. */
export function isSameLuks(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

/** Returns the values for the volume with this id. */
export function valuesFor<T>(id: string | null, all: readonly Owned<T>[]): readonly T[] {
  const own = all.filter((one) => one.id !== null && id !== null && isSameLuks(one.id, id));
  return own.map(({ value }) => value);
}

/** Returns the values for all volumes. */
export function valuesForAll<T>(all: readonly Owned<T>[]): readonly T[] {
  return all.filter(({ id }) => id === null).map(({ value }) => value);
}

/** Returns every volume that is asked for, each once, in order; `crypttab` is null if it is not to be read. */
export function draftVolumes(settings: Settings, crypttab: Crypttab | null, hasFile: HasFile): readonly Draft[] {
  const partitions = settings.luksPartuuids;
  const called = [...settings.luksUuids, ...settings.luksNames.map(({ id }) => id)];
  const named = [...called.filter((id) => !partitions.includes(id)), ...partitions].map((id): Draft => {
    const isPartition = partitions.includes(id);
    const device = isPartition ? ({ by: "partuuid", value: id, partitionOffset: 0 } as const) : luksDevice(id);
    return { ...BARE, id, device, name: valuesFor(id, settings.luksNames).at(-1) ?? null };
  });
  const chosen = [...named, ...settings.luksLabels.map((device): Draft => ({ ...BARE, device }))];
  // systemd's rule: volumes chosen on the command line restrict crypttab to these.
  const isChosen = (draft: Draft) => chosen.length === 0 || chosen.some((one) => isSameVolume(one, draft));
  const tabled = draftCrypttab(crypttab).filter(isChosen);
  return [...tabled, ...chosen, ...draftOthers(settings, hasFile)].reduce<readonly Draft[]>(join, []);
}

function draftCrypttab(crypttab: Crypttab | null): readonly Draft[] {
  return (crypttab?.entries ?? []).map((entry) => {
    const { id, strong, ...draft } = draftAsked(entry);
    return { ...draft, id: id ?? idOfName(entry.name ?? ""), weak: strong, strong: {}, isTabled: true };
  });
}

function draftAsked({ device, name, key, options }: AskedVolume): Draft {
  return { ...BARE, id: idOf(device), device, name, keys: key === null ? [] : [key], strong: options };
}

/** The volumes of mkinitcpio's, Alpine's and Debian's parameters, and plain volumes. */
function draftOthers(settings: Settings, hasFile: HasFile): readonly Draft[] {
  const { cryptDevice, crypto = {}, cryptRoot, cryptName: name = null, cryptHeader: header = null } = settings;
  const key = settings.cryptKey ?? (hasFile(DEFAULT_KEY_FILE) ? inImage(DEFAULT_KEY_FILE) : null);
  const drafts: Draft[] = [];
  if (cryptDevice !== undefined) {
    drafts.push(draftAsked({ ...cryptDevice, key, options: joinOptions(crypto, cryptDevice.options) }));
  }
  if (cryptRoot !== undefined) {
    const options = parseCryptOptions(settings.cryptDiscards === true ? "luks,discard" : "luks");
    drafts.push({ ...draftAsked({ device: cryptRoot, name, key, options }), header });
  }
  return [...drafts, ...[...settings.cryptOpts, ...settings.plains].map(draftAsked)];
}

/** Returns a draft of a volume that no parameter asks for, but that some name by this id. */
export function draftOptional(id: string): Draft {
  return { ...BARE, id, device: luksDevice(id), strong: { isOptional: true } };
}

/** The later of two drafts of one volume is the stronger. */
function join(drafts: readonly Draft[], draft: Draft): readonly Draft[] {
  const index = drafts.findIndex((other) => isSameVolume(other, draft));
  const before = drafts[index];
  if (before === undefined) return [...drafts, draft];
  const { id, device } = (draft.id?.length ?? 0) > (before.id?.length ?? 0) ? draft : before;
  return drafts.with(index, {
    id,
    device,
    name: draft.name ?? before.name,
    weak: joinOptions(before.weak, draft.weak),
    strong: joinOptions(before.strong, draft.strong),
    keys: draft.keys.length > 0 ? draft.keys : before.keys,
    header: draft.header ?? before.header,
    isTabled: draft.isTabled && before.isTabled,
  });
}

function isSameVolume(one: Draft, other: Draft): boolean {
  const isById = one.id !== null && other.id !== null && !isPlain(one) && !isPlain(other);
  return isById ? isSameLuks(one.id, other.id) : JSON.stringify(one.device) === JSON.stringify(other.device);
}

function isPlain({ weak, strong }: Draft): boolean {
  return planPlain(joinOptions(weak, strong)) !== null;
}

/** Returns the id of a volume that is named by its UUID or PARTUUID. */
function idOf(device: DeviceSpec): string | null {
  if (device.by === "luks") return device.prefix;
  return device.by === "uuid" || device.by === "partuuid" ? device.value.toLowerCase() : null;
}

/** To systemd, the name luks-UUID is a UUID. */
function idOfName(name: string): string | null {
  const read = /^luks-/i.test(name) ? tryParse(parseLuksId, name) : null;
  return read !== null && "value" in read ? read.value : null;
}
