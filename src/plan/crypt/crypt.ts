import type { Crypttab } from "../../parameters/crypt/crypttab.ts";
import { type CryptOptions, parseCryptOptions, planPlain } from "../../parameters/crypt/options.ts";
import { inImage, isRandom, type OwnedPlace, type PlaceText, planPlace } from "../../parameters/crypt/place.ts";
import type { CryptSettings } from "../../parameters/crypt/settings.ts";
import { isWholeUuid } from "../../parameters/crypt/text.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { type Draft, draftOptional, draftVolumes, isSameLuks } from "./crypt-drafts.ts";
import type { CryptPlan, CryptVolume } from "./crypt-plan.ts";

/** How a volume is unlocked of which nothing is said. */
export const DEFAULT_SETTINGS: CryptSettings = {
  header: null,
  keys: [],
  // mkinitcpio's limit; who has no key stick at hand should not have to wait longer to be asked.
  keyTimeoutMs: 10_000,
  keyslot: null,
  tries: 5,
  promptTimeoutMs: null,
  isReadOnly: false,
  options: [],
  allowsNull: false,
  maxKdfMs: null,
};

/** What deriving a key may take for a volume that nobody named. It may be a stranger's, and its header made to keep a boot waiting. */
export const AUTO_MAX_KDF_MS = 60_000;

/** Nothing is unlocked but a root= that is itself a LUKS volume. */
export const NO_CRYPT: CryptPlan = { isOff: false, volumes: [], everyLuks: false, unnamed: DEFAULT_SETTINGS };

/** What a decision about encrypted devices is made from, beside the words. */
export interface CryptSurroundings {
  /** null where it is not there, or not to be read. */
  readonly crypttab: Crypttab | null;
  readonly roots: readonly DeviceSpec[];
  /** True where the image has this file. */
  readonly hasFile: (path: string) => boolean;
}

/** A volume, and why it is not opened after all. */
export interface DecidedVolume {
  readonly volume: CryptVolume;
  readonly draft: Draft;
  readonly options: CryptOptions;
  readonly refusal: string | null;
}

/** Every volume that is asked for, what is said about each in all places joined. */
export function decideVolumes(settings: Settings, around: CryptSurroundings): readonly DecidedVolume[] {
  if (settings.luks === false) return [];
  const drafts = draftVolumes(settings, around.crypttab, around.hasFile);
  const calls = (id: string) => drafts.some((draft) => draft.id !== null && isSameLuks(draft.id, id));
  const spared = listIds(settings).filter((id) => !calls(id) && (settings.auto === true || isRoot(id, around.roots)));
  const decided = [...drafts, ...spared.map(draftOptional)].map((draft) => decideVolume(draft, settings, around));
  const refusal = "another encrypted device has its name";
  return decided.map((one, index) => (isNameTaken(decided, one, index) ? { ...one, refusal } : one));
}

/** True for a volume of crypttab whose name the command line, or an earlier line, gives to another: two of the command line are a mistake. */
function isNameTaken(
  decided: readonly DecidedVolume[],
  { draft, volume, refusal }: DecidedVolume,
  index: number,
): boolean {
  if (!draft.isTabled || refusal !== null || volume.name === null) return false;
  const others = decided.filter((other) => other.refusal === null && other.volume.name === volume.name);
  return others.some((other) => !other.draft.isTabled || decided.indexOf(other) < index);
}

/** The plan for encrypted devices. */
export function planCrypt(settings: Settings, decided: readonly DecidedVolume[], around: CryptSurroundings): CryptPlan {
  if (settings.luks === false) return { ...NO_CRYPT, isOff: true };
  const options = parseCryptOptions(joinGeneral(settings).join(","));
  const keys = settings.luksKeys.flatMap(({ id, place }) => (id === null ? [place] : []));
  const range = { offset: options.keyOffset, size: options.keySize };
  return {
    isOff: false,
    volumes: decided.filter(({ refusal }) => refusal === null).map(({ volume }) => volume),
    everyLuks: settings.auto === true,
    unnamed: {
      ...DEFAULT_SETTINGS,
      ...options.settings,
      options: options.words,
      keys: keys.map((place) => planPlace(place, range, around.hasFile)),
    },
  };
}

/** The ids by which words call a volume without asking for it. */
export function listIds({ luksKeys, luksOptions, luksHeaders, luksData, luksDiscards }: Settings): readonly string[] {
  const words = [...luksKeys, ...luksOptions, ...luksHeaders, ...luksData, ...luksDiscards];
  const ids = words.flatMap(({ id }) => (id === null ? [] : [id]));
  return ids.filter((id, index) => ids.findIndex((one) => isSameLuks(one, id)) === index);
}

function isRoot(id: string, roots: readonly DeviceSpec[]): boolean {
  return roots.some((root) => root.by === "uuid" && isSameLuks(root.value.toLowerCase(), id));
}

/** What the words for all LUKS volumes say, as options. */
function joinGeneral({ luksOptions, luksDiscards, luksTimeoutMs, luksKeyTimeoutMs }: Settings): readonly string[] {
  return [
    ...(luksTimeoutMs === undefined ? [] : [`timeout=${luksTimeoutMs ?? 0}ms`]),
    // For ever is 0 in an option, and here it is not to wait at all.
    ...(luksKeyTimeoutMs === undefined ? [] : [`keyfile-timeout=${Math.max(1, luksKeyTimeoutMs)}ms`]),
    ...luksDiscards.flatMap(({ id }) => (id === null ? ["discard"] : [])),
    ...luksOptions.flatMap(({ id, text }) => (id === null ? [text] : [])),
  ];
}

function decideVolume(draft: Draft, settings: Settings, around: CryptSurroundings): DecidedVolume {
  const { luksOptions, luksDiscards, luksData } = settings;
  const own = [
    ...luksDiscards.filter((word) => isFor(word, draft)).map(() => "discard"),
    ...luksOptions.filter((word) => isFor(word, draft)).map(({ text }) => text),
  ];
  const said = parseCryptOptions([...draft.weakOptions, ...draft.strongOptions, ...own].join(","));
  const isLuks = planPlain(said, draft.isPlainElse) === null;
  const general = isLuks ? joinGeneral(settings) : [];
  const options = parseCryptOptions([...draft.weakOptions, ...general, ...draft.strongOptions, ...own].join(","));
  const header = isLuks ? findHeader(draft, settings, options) : null;
  const keys = findKeys(draft, isLuks ? settings.luksKeys : [], around.hasFile);
  const range = { offset: options.keyOffset, size: options.keySize };
  const volume: CryptVolume = {
    ...DEFAULT_SETTINGS,
    ...options.settings,
    device: luksData.findLast((word) => isFor(word, draft))?.device ?? draft.device,
    name: draft.name,
    plain: planPlain(options, draft.isPlainElse),
    header: header === null ? null : planPlace(header, { offset: 0, size: null }, around.hasFile),
    keys: keys.map((place) => planPlace(place, range, around.hasFile)),
    options: options.words,
    isOptional: options.isOptional,
  };
  const refusal = options.refusal ?? (keys.some(isRandom) ? "its key is another one at each start" : null);
  return { volume, draft, options, refusal: options.isForLater ? "noauto" : refusal };
}

interface Word {
  readonly id: string | null;
}

/** True for a word that calls this volume by its id. */
function isFor({ id }: Word, draft: Draft): boolean {
  return id !== null && draft.id !== null && isSameLuks(id, draft.id);
}

function findHeader(draft: Draft, { luksHeaders }: Settings, options: CryptOptions): PlaceText | null {
  const own = luksHeaders.findLast((word) => isFor(word, draft));
  const general = draft.id === null ? undefined : luksHeaders.findLast(({ id }) => id === null);
  return own?.place ?? options.header ?? draft.header ?? general?.place ?? null;
}

/** Those for this volume alone, or else its line's and then those for all; or else systemd's: a file of the image with its name. */
function findKeys(
  draft: Draft,
  words: readonly OwnedPlace[],
  hasFile: (path: string) => boolean,
): readonly PlaceText[] {
  const own = words.filter((word) => isFor(word, draft)).map(({ place }) => place);
  if (own.length > 0) return own;
  const keys = [...draft.keys, ...words.filter(({ id }) => id === null).map(({ place }) => place)];
  if (keys.length > 0) return keys;
  const { id, name } = draft;
  const ownName = name ?? (id !== null && isWholeUuid(id) ? `luks-${id}` : null);
  const path = `/etc/cryptsetup-keys.d/${ownName}.key`;
  return ownName !== null && hasFile(path) ? [inImage(path)] : [];
}
