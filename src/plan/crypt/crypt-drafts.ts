import type { Crypttab } from "../../parameters/crypt/crypttab.ts";
import { parseCryptOptions, planPlain } from "../../parameters/crypt/options.ts";
import { DEFAULT_KEY_FILE, inImage, type PlaceText } from "../../parameters/crypt/place.ts";
import { luksDevice, parseLuksId } from "../../parameters/crypt/text.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";

/** A volume as one word or line asks for it, before what others say of the same one is joined to it. */
export interface Draft {
  /** The UUID or PARTUUID by which other words may call it. */
  readonly id: string | null;
  readonly device: DeviceSpec;
  readonly name: string | null;
  /** Of crypttab: what is said for all volumes on the command line is stronger. */
  readonly weakOptions: readonly string[];
  readonly strongOptions: readonly string[];
  readonly keys: readonly PlaceText[];
  readonly header: PlaceText | null;
  /** True where crypto= says that it is plain, if it is not LUKS. */
  readonly isPlainElse: boolean;
  /** True where only crypttab asks for it. */
  readonly isTabled: boolean;
}

type HasFile = (path: string) => boolean;

const BARE = {
  ...{ id: null, name: null, weakOptions: [], strongOptions: [], keys: [], header: null },
  ...{ isPlainElse: false, isTabled: false },
} as const;

/** True where two ids mean one volume: either may be only the beginning of it. */
export function isSameLuks(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

/** Every volume that is asked for, each once, in its order; `crypttab` is null where it is not to be read. */
export function draftVolumes(settings: Settings, crypttab: Crypttab | null, hasFile: HasFile): readonly Draft[] {
  const partitions = settings.luksPartuuids;
  const called = [...settings.luksUuids, ...settings.luksNames.map(({ id }) => id)];
  const ids = called.filter((id) => !partitions.includes(id));
  const chosen = [
    ...ids.map((id): Draft => ({ ...BARE, id, device: luksDevice(id) })),
    ...partitions.map((id): Draft => ({ ...BARE, id, device: { by: "partuuid", value: id, partitionOffset: 0 } })),
  ].map((draft) => nameIt(draft, settings));
  const others = draftOthers(settings, hasFile);
  const isTaken = ({ name }: Draft, by: Draft) => name !== null && name === by.name;
  const tabled = draftCrypttab(crypttab)
    // systemd's rule: who chooses on the command line chooses from all of it.
    .filter((draft) => chosen.length === 0 || chosen.some((one) => isSameVolume(one, draft)))
    .filter((draft) => ![...chosen, ...others].some((one) => isTaken(draft, one) && !isSameVolume(one, draft)));
  return [...tabled, ...chosen, ...others].reduce<readonly Draft[]>(join, []);
}

function draftCrypttab(crypttab: Crypttab | null): readonly Draft[] {
  return (crypttab?.entries ?? []).map(({ name, device, key, options }) => {
    const id = idOf(device) ?? idOfName(name);
    return { ...BARE, id, device, name, weakOptions: [options], keys: key === null ? [] : [key], isTabled: true };
  });
}

/** Of mkinitcpio, Alpine and Debian, and ours for plain volumes. */
function draftOthers(settings: Settings, hasFile: HasFile): readonly Draft[] {
  const { cryptDevice, cryptRoot, cryptKey, crypto } = settings;
  const key = cryptKey ?? (hasFile(DEFAULT_KEY_FILE) ? inImage(DEFAULT_KEY_FILE) : null);
  const keys = key === null ? [] : [key];
  const drafts: Omit<Draft, "id">[] = [];
  if (cryptDevice !== undefined) {
    const { device, name, options } = cryptDevice;
    const isPlainElse = crypto !== undefined;
    drafts.push({ ...BARE, device, name, keys, strongOptions: [crypto ?? "", options], isPlainElse });
  }
  if (cryptRoot !== undefined) {
    const { cryptName = null, cryptHeader: header = null, cryptDiscards } = settings;
    const strongOptions = cryptDiscards === true ? ["luks", "discard"] : ["luks"];
    drafts.push({ ...BARE, device: cryptRoot, name: cryptName, header, keys, strongOptions });
  }
  for (const { name, device, key: own, options } of settings.cryptOpts) {
    drafts.push({ ...BARE, device, name, keys: own === null ? [] : [own], strongOptions: [options] });
  }
  for (const { device, name, options } of settings.plains) {
    drafts.push({ ...BARE, device, name, strongOptions: [options] });
  }
  return drafts.map((draft) => ({ ...draft, id: idOf(draft.device) }));
}

/** A draft of a volume that is not asked for, but that words call by this id. */
export function draftOptional(id: string): Draft {
  return { ...BARE, id, device: luksDevice(id), strongOptions: ["nofail"] };
}

/** The later of two drafts of one volume is the stronger. */
function join(drafts: readonly Draft[], draft: Draft): readonly Draft[] {
  const index = drafts.findIndex((other) => isSameVolume(other, draft));
  const before = drafts[index];
  if (before === undefined) return [...drafts, draft];
  const isMoreTold = (draft.id?.length ?? 0) > (before.id?.length ?? 0);
  return drafts.with(index, {
    id: isMoreTold ? draft.id : before.id,
    device: isMoreTold ? draft.device : before.device,
    name: draft.name ?? before.name,
    weakOptions: [...before.weakOptions, ...draft.weakOptions],
    strongOptions: [...before.strongOptions, ...draft.strongOptions],
    keys: draft.keys.length > 0 ? draft.keys : before.keys,
    header: draft.header ?? before.header,
    isPlainElse: draft.isPlainElse || before.isPlainElse,
    isTabled: draft.isTabled && before.isTabled,
  });
}

function isSameVolume(one: Draft, other: Draft): boolean {
  if (isPlain(one) || isPlain(other)) return JSON.stringify(one.device) === JSON.stringify(other.device);
  if (one.id !== null && other.id !== null) return isSameLuks(one.id, other.id);
  return JSON.stringify(one.device) === JSON.stringify(other.device);
}

function isPlain({ weakOptions, strongOptions, isPlainElse }: Draft): boolean {
  return planPlain(parseCryptOptions([...weakOptions, ...strongOptions].join(",")), isPlainElse) !== null;
}

function nameIt(draft: Draft, { luksNames }: Settings): Draft {
  const { id } = draft;
  const name = id === null ? undefined : luksNames.findLast((one) => isSameLuks(one.id, id))?.name;
  return name === undefined ? draft : { ...draft, name };
}

/** The id of a volume that is named by its UUID or PARTUUID. */
function idOf(device: DeviceSpec): string | null {
  if (device.by === "luks") return device.prefix;
  return device.by === "uuid" || device.by === "partuuid" ? device.value.toLowerCase() : null;
}

/** systemd takes the name luks-UUID for a UUID. */
function idOfName(name: string): string | null {
  if (!/^luks-[0-9a-f-]{4,}$/i.test(name)) return null;
  try {
    return parseLuksId(name);
  } catch {
    return null;
  }
}
