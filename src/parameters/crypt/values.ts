import { readFlag } from "../values.ts";
import { parseCryptOpts } from "./cryptopts.ts";
import { parseCryptOptions } from "./options.ts";
import { type OwnedPlace, parseCryptKey, parseOwnedPlace, parsePlace } from "./place.ts";
import {
  expected,
  parsedBy,
  parseLuksId,
  parseMapperName,
  parseSpelledDevice,
  splitDeviceAndName,
  splitLuksId,
  splitOwnLuksId,
} from "./text.ts";

/** A LUKS UUID or its beginning, as a list of one. */
export const uuids = parsedBy((text) => [parseLuksId(text)]);

/** A PARTUUID in lower case, as a list of one. */
export const partuuids = parsedBy((text) => {
  if (!/^[0-9a-f][0-9a-f-]{3,35}$/i.test(text)) throw expected("the PARTUUID of a partition");
  return [text.toLowerCase()];
});

/** UUID=NAME, as a list of one. */
export const names = parsedBy((text) => {
  const { id, rest } = splitOwnLuksId(text, "UUID=NAME");
  return [{ id, name: parseMapperName(rest) }];
});

/** [UUID=]PATH[:DEVICE]: a place, and whose it is (null: for all), as a list of one. */
export const places = parsedBy((text): readonly OwnedPlace[] => {
  const { id, rest } = splitLuksId(text);
  const owned = parseOwnedPlace(rest);
  return [{ id: id ?? owned.id, place: owned.place }];
});

/** [UUID=]OPTIONS: words that can be read, and whose they are (null: for all), as a list of one. */
export const options = parsedBy((text) => {
  const { id, rest } = splitLuksId(text);
  return [{ id, text: checkOptions(rest) }];
});

/** UUID=DEVICE, as a list of one. */
export const data = parsedBy((text) => {
  const { id, rest } = splitOwnLuksId(text, "UUID=DEVICE");
  return [{ id, device: parseSpelledDevice(rest) }];
});

/** Whose discards are let through (null: everybody's), as a list of one; empty for no. */
export const discards = parsedBy((text): readonly { readonly id: string | null }[] => {
  const asked = readFlag(text);
  if (asked !== null) return asked ? [{ id: null }] : [];
  return [{ id: parseLuksId(text) }];
});

/** DEVICE:NAME[:OPTIONS] of mkinitcpio. */
export const cryptDevice = parsedBy((text) => {
  const { device, name, rest } = splitDeviceAndName(text, "DEVICE:NAME or DEVICE:NAME:OPTIONS");
  return { device, name, options: checkOptions(rest) };
});

/** DEVICE:NAME[:OPTIONS] of a plain volume, as a list of one. */
export const plains = parsedBy((text) => {
  const { device, name, rest } = splitDeviceAndName(text, "DEVICE:NAME:OPTIONS");
  return [{ device, name, options: checkOptions(`${rest},plain`) }];
});

/** HASH:CIPHER:KEYBITS:OFFSET:SKIP of mkinitcpio, as options of a volume that is plain if it is not LUKS. */
export const crypto = parsedBy((text) => {
  // A cipher has a colon too, but mkinitcpio does not know that one either.
  const fields = text.split(":");
  if (fields.length !== 5) throw expected("HASH:CIPHER:KEYBITS:OFFSET:SKIP, of which each may be empty");
  const said = ["hash", "cipher", "size", "offset", "skip"].map((name, index) => [name, fields[index]] as const);
  return checkOptions(said.flatMap(([name, value]) => (value ? [`${name}=${value}`] : [])).join(","));
});

/** Debian's, as a list of one. */
export const cryptOpts = parsedBy((text) => [parseCryptOpts(text)]);

function checkOptions(text: string): string {
  parseCryptOptions(text);
  return text;
}

/** Whole seconds as milliseconds; 0 is 0. */
export const seconds = parsedBy((text) => {
  if (!/^\d{1,6}$/.test(text)) throw expected("a number of seconds");
  return Number(text) * 1000;
});

/** The name of a keymap. */
export const keymap = parsedBy((text) => {
  if (!/^\w[\w.+@-]{0,99}$/.test(text)) throw expected("the name of a keymap, as de-latin1");
  return text;
});

/** One device. */
export const device = parsedBy(parseSpelledDevice);

/** What /dev/mapper/NAME can be. */
export const mapperName = parsedBy(parseMapperName);

/** PATH[:DEVICE] or DEVICE. */
export const place = parsedBy(parsePlace);

/** cryptkey= of mkinitcpio and of Alpine. */
export const cryptKey = parsedBy(parseCryptKey);
