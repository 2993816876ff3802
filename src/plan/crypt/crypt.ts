import { isUuid } from "../../formats/bytes.ts";
import type { Crypttab } from "../../parameters/crypt/crypttab.ts";
import { type CryptOptions, joinOptions, planPlain } from "../../parameters/crypt/options.ts";
import {
  type CryptSettings,
  type HasFile,
  inImage,
  isRandom,
  type Owned,
  type PlaceText,
  planPlace,
  RANDOM_KEY,
} from "../../parameters/crypt/place.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import type { CryptPlan, CryptVolume } from "../plan.ts";
import { type Draft, draftOptional, draftVolumes, isSameLuks, valuesFor, valuesForAll } from "./crypt-drafts.ts";

/** The settings of a volume without options. */
export const DEFAULT_SETTINGS: CryptSettings = {
  header: null,
  keys: [],
  // mkinitcpio's limit: a person without the key stick should not wait longer for the prompt.
  keyTimeoutMs: 10_000,
  keyslot: null,
  tries: 5,
  promptTimeoutMs: null,
  isReadOnly: false,
  options: [],
  allowsNull: false,
  maxKdfMs: null,
};

/** The longest key derivation for a volume that only rd.auto asks for: its header may be crafted to delay the boot. */
export const AUTO_MAX_KDF_MS = 60_000;

/** The plan that unlocks nothing but a root= that is a LUKS volume itself. */
export const NO_CRYPT: CryptPlan = { isOff: false, volumes: [], everyLuks: false, unnamed: DEFAULT_SETTINGS };

/** True if a parameter, crypttab or a key asks for an encrypted volume, though not necessarily for one that the root has to lie in. */
export function wantsEncryption({ isOff, volumes, everyLuks, unnamed }: CryptPlan): boolean {
  return !isOff && (everyLuks || volumes.length > 0 || !Bun.deepEquals(unnamed, DEFAULT_SETTINGS));
}

/** What decides about encrypted devices besides the parameters. */
export interface CryptSurroundings {
  /** null if there is none, or if it is not to be read. */
  readonly crypttab: Crypttab | null;
  readonly roots: readonly DeviceSpec[];
  readonly hasFile: HasFile;
}

/** A volume, and why it is not unlocked (null: it is). */
export interface DecidedVolume {
  readonly volume: CryptVolume;
  readonly draft: Draft;
  readonly options: CryptOptions;
  readonly refusal: string | null;
}

/** Returns every volume that is asked for, with the parameters and crypttab lines for each joined. */
export function decideVolumes(settings: Settings, around: CryptSurroundings): readonly DecidedVolume[] {
  if (settings.luks === false) return [];
  const drafts = draftVolumes(settings, around.crypttab, around.hasFile);
  const isDrafted = (id: string) => drafts.some((draft) => draft.id !== null && isSameLuks(draft.id, id));
  const isWanted = (id: string) => settings.auto === true || isRoot(id, around.roots);
  const optional = listIds(settings).filter((id) => !isDrafted(id) && isWanted(id));
  const all = [...drafts, ...optional.map(draftOptional)].map((draft) => decideVolume(draft, settings, around));
  const refusal = "another encrypted device has its name";
  return all.map((one, index) => (isNameTaken(all, one, index) ? { ...one, refusal } : one));
}

/** True for a volume of crypttab if the command line or an earlier line gives its name to another; the same name twice on the command line is a mistake. */
function isNameTaken(decided: readonly DecidedVolume[], one: DecidedVolume, index: number): boolean {
  const { draft, volume, refusal } = one;
  if (!draft.isTabled || refusal !== null || volume.name === null) return false;
  const others = decided.filter((other) => other.refusal === null && other.volume.name === volume.name);
  return others.some((other) => !other.draft.isTabled || decided.indexOf(other) < index);
}

/** Returns the plan for encrypted devices. */
export function planCrypt(settings: Settings, decided: readonly DecidedVolume[], around: CryptSurroundings): CryptPlan {
  if (settings.luks === false) return { ...NO_CRYPT, isOff: true };
  return {
    isOff: false,
    volumes: decided.filter(({ refusal }) => refusal === null).map(({ volume }) => volume),
    everyLuks: settings.auto === true,
    unnamed: planSettings(joinGeneral(settings), null, valuesForAll(settings.luksKeys), around),
  };
}

function planSettings(
  { settings, flags = [], keyOffset = 0, keySize }: CryptOptions,
  header: PlaceText | null,
  keys: readonly PlaceText[],
  { hasFile }: CryptSurroundings,
): CryptSettings {
  return {
    ...DEFAULT_SETTINGS,
    ...settings,
    options: flags,
    header: header && planPlace(header, { offset: 0, size: null }, hasFile),
    keys: keys.map((place) => planPlace(place, { offset: keyOffset, size: keySize ?? null }, hasFile)),
  };
}

/** Returns the ids of volumes that parameters name without asking for them. */
export function listIds({ luksKeys, luksOptions, luksHeaders, luksData, luksDiscards }: Settings): readonly string[] {
  const all = [...luksKeys, ...luksOptions, ...luksHeaders, ...luksData, ...luksDiscards];
  const ids = all.flatMap(({ id }) => id ?? []);
  return ids.filter((id, index) => ids.findIndex((one) => isSameLuks(one, id)) === index);
}

function isRoot(id: string, roots: readonly DeviceSpec[]): boolean {
  return roots.some((root) => root.by === "uuid" && isSameLuks(root.value.toLowerCase(), id));
}

/** The options for all LUKS volumes. */
function joinGeneral({ luksOptions, luksDiscards, luksTimeoutMs, luksKeyTimeoutMs }: Settings): CryptOptions {
  return joinOptions(
    luksTimeoutMs === undefined ? {} : { settings: { promptTimeoutMs: luksTimeoutMs } },
    // Unlike keyfile-timeout=, rd.luks.key.tout=0 is no wait at all.
    luksKeyTimeoutMs === undefined ? {} : { settings: { keyTimeoutMs: Math.max(1, luksKeyTimeoutMs) } },
    ...valuesForAll([...luksDiscards, ...luksOptions]),
  );
}

function decideVolume(draft: Draft, settings: Settings, around: CryptSurroundings): DecidedVolume {
  const { luksOptions, luksDiscards, luksData, luksKeys } = settings;
  const own = valuesFor(draft.id, [...luksDiscards, ...luksOptions]);
  const said = joinOptions(draft.weak, draft.strong, ...own);
  const isLuks = planPlain(said) === null;
  const options = isLuks ? joinOptions(draft.weak, joinGeneral(settings), draft.strong, ...own) : said;
  const keys = findKeys(draft, isLuks ? luksKeys : [], around.hasFile);
  const volume: CryptVolume = {
    ...planSettings(options, isLuks ? findHeader(draft, settings, options) : null, keys, around),
    device: valuesFor(draft.id, luksData).at(-1) ?? draft.device,
    name: draft.name,
    plain: planPlain(options),
    isOptional: options.isOptional === true,
  };
  const refusal = options.refusal ?? (keys.some(isRandom) ? RANDOM_KEY : null);
  return { volume, draft, options, refusal: options.isForLater ? "noauto" : refusal };
}

function findHeader({ id, header }: Draft, { luksHeaders }: Settings, options: CryptOptions): PlaceText | null {
  const general = id === null ? undefined : valuesForAll(luksHeaders).at(-1);
  return valuesFor(id, luksHeaders).at(-1) ?? options.header ?? header ?? general ?? null;
}

/** The keys for this volume alone; else those of its own line and those for all volumes; else systemd's, a file of the image with the volume's name. */
function findKeys(draft: Draft, all: readonly Owned<PlaceText>[], hasFile: HasFile): readonly PlaceText[] {
  const { id, name } = draft;
  const own = valuesFor(id, all);
  if (own.length > 0) return own;
  const keys = [...draft.keys, ...valuesForAll(all)];
  if (keys.length > 0) return keys;
  const ownName = name ?? (id !== null && isUuid(id) ? `luks-${id}` : null);
  const path = `/etc/cryptsetup-keys.d/${ownName}.key`;
  return ownName !== null && hasFile(path) ? [inImage(path)] : [];
}
