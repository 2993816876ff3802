import type { DeviceSpec } from "../device-spec.ts";
import { Expected, matching } from "../parse.ts";
import { readFlag } from "../values.ts";
import { type CryptOptions, joinOptions, parseCryptOptions } from "./options.ts";
import { type Owned, type PlaceText, parseOwnedPlace, parsePlace } from "./place.ts";
import { parseLuksId, parseMapperName, parseSpelledDevice, splitDeviceAndName, splitLuksId } from "./text.ts";

/** A volume as one parameter or one line of crypttab asks for it. */
export interface AskedVolume {
  readonly device: DeviceSpec;
  /** null: luks-UUID. */
  readonly name: string | null;
  /** null: levain asks for the passphrase. */
  readonly key: PlaceText | null;
  readonly options: CryptOptions;
}

/** Returns a parser of UUID=VALUE. */
const ofOne =
  <T>(syntax: string, parse: (text: string) => T) =>
  (text: string) => {
    const { id, rest } = splitLuksId(text);
    if (id === null || rest === "") throw new Expected(syntax);
    return { id, value: parse(rest) };
  };

/** UUID=NAME. */
export const nameOfLuks = ofOne("UUID=NAME", parseMapperName);

/** UUID=DEVICE. */
export const dataDevice = ofOne("UUID=DEVICE", parseSpelledDevice);

/** [UUID=]OPTIONS. */
export const ownedOptions = (text: string): Owned<CryptOptions> => {
  const { id, rest } = splitLuksId(text);
  return { id, value: parseCryptOptions(rest) };
};

/** [UUID=]PATH[:DEVICE], or dracut's PATH:DEVICE:UUID=…. */
export const ownedPlace = (text: string): Owned<PlaceText> => {
  const { id, rest } = splitLuksId(text);
  const place = parseOwnedPlace(rest);
  return { ...place, id: id ?? place.id };
};

const PARTUUID = /^[0-9a-f][0-9a-f-]{3,35}$/i;
/** A PARTUUID, in lower case. */
export const partuuid = (text: string) => matching("the PARTUUID of a partition", PARTUUID)(text).toLowerCase();

/** The label of a LUKS2 header, as the device that has it. */
export const luksLabel = (text: string): DeviceSpec => parseSpelledDevice(`LABEL=${text}`);

/** The UUID of a volume, or yes for all: the option discard. Nothing for no. */
export const discards = (text: string): readonly Owned<CryptOptions>[] => {
  const asked = readFlag(text);
  return asked === false ? [] : [{ id: asked ? null : parseLuksId(text), value: parseCryptOptions("discard") }];
};

/** DEVICE:NAME[:OPTIONS] of mkinitcpio. */
export const cryptDevice = (text: string): AskedVolume => {
  const { device, name, rest } = splitDeviceAndName(text, "DEVICE:NAME or DEVICE:NAME:OPTIONS");
  return { device, name, key: null, options: parseCryptOptions(rest) };
};

/** DEVICE:NAME[:OPTIONS] of a plain volume. */
export const plainVolume = (text: string): AskedVolume => {
  const { device, name, rest } = splitDeviceAndName(text, "DEVICE:NAME:OPTIONS");
  return { device, name, key: null, options: joinOptions(parseCryptOptions(rest), { type: "plain" }) };
};

/** HASH:CIPHER:KEYBITS:OFFSET:SKIP of mkinitcpio, as options of a volume that is plain if it is not LUKS. */
export const crypto = (text: string): CryptOptions => {
  // A cipher has a colon too, but mkinitcpio does not accept that either.
  const fields = text.split(":");
  if (fields.length !== 5) throw new Expected("HASH:CIPHER:KEYBITS:OFFSET:SKIP, of which each may be empty");
  const given = ["hash", "cipher", "size", "offset", "skip"].map((name, index) => [name, fields[index]] as const);
  const options = given.flatMap(([name, value]) => (value ? [`${name}=${value}`] : [])).join(",");
  return joinOptions(parseCryptOptions(options), { isPlainElse: true });
};

/** cryptopts= of Debian's cryptsetup-initramfs (scripts/local-top/cryptroot): crypttab's fields as target=, source= and key=, among its options. */
export const cryptOpts = (text: string): AskedVolume => {
  const words = text.split(",");
  const find = (name: string) => words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const source = find("source");
  if (source === undefined) throw new Expected("source=DEVICE among the options of cryptopts=");
  const options = parseCryptOptions(words.filter((word) => !/^(?:source|target|key)=/.test(word)).join(","));
  const name = parseMapperName(find("target") ?? "cryptroot");
  return { name, device: parseSpelledDevice(source), key: parseKey(find("key") ?? ""), options };
};

/** The key of a volume, as crypttab has it: null for "none", "-" and nothing. */
export function parseKey(text: string): PlaceText | null {
  return /^(?:none|-|)$/.test(text) ? null : parsePlace(text);
}

/** Whole seconds as milliseconds; 0 is 0. */
export const seconds = (text: string): number => Number(matching("a number of seconds", /^\d{1,6}$/)(text)) * 1000;

/** The name of a keymap. */
export const keymap = matching("the name of a keymap, such as de-latin1", /^\w[\w.+@-]{0,99}$/);
