import { decodeText } from "../../formats/text.ts";
import { notSupportedYet } from "../../problems/not-supported.ts";
import { Expected, tryParse } from "../parse.ts";
import { type CryptOptions, joinOptions, parseCryptOptions } from "./options.ts";
import { isRandom, type PlaceText, RANDOM_KEY } from "./place.ts";
import { isDeviceText, parseMapperName, parseSpelledDevice } from "./text.ts";
import { type AskedVolume, parseKey } from "./values.ts";

/** The volumes of a crypttab, every name once, and what of it is ignored, with line numbers. */
export interface Crypttab {
  readonly entries: readonly AskedVolume[];
  readonly warnings: readonly string[];
}

type Line = { readonly entry: AskedVolume | null; readonly warnings: readonly string[] };

/** Reads /etc/crypttab as systemd and Debian do (crypttab(5) of both). Never throws: as there, a malformed line is ignored. */
export function parseCrypttab(text: string): Crypttab {
  const entries: AskedVolume[] = [];
  const warnings: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const fields = line.trim().split(/\s+/).map(decodeEscapes);
    const read = tryParse(readLine, fields);
    const { entry, warnings: own } = "value" in read ? read.value : { entry: null, warnings: [] };
    const isTaken = entry !== null && entries.some(({ name }) => name === entry.name);
    const mistake = isTaken
      ? `an earlier line has the name ${entry.name}`
      : "expected" in read && `expected ${read.expected}`;
    if (mistake) warnings.push(`line ${index + 1} is ignored: ${mistake}`);
    else if (entry !== null) entries.push(entry);
    warnings.push(...own.map((warning) => `line ${index + 1}: ${warning}`));
  }
  return { entries, warnings };
}

function readLine(fields: readonly string[]): Line {
  const [nameText = "", deviceText = "", keyText = "", optionsText = "", ...more] = fields;
  if (deviceText === "") throw new Expected("a name and a device, optionally a key file and options");
  const name = parseMapperName(nameText);
  const { options, mistakes } = readOptions(optionsText);
  if (options.isForLater) return { entry: null, warnings: [] };
  const key = parseKey(keyText);
  const refusal = findRefusal(options, key, deviceText);
  if (refusal !== null) return { entry: null, warnings: [`${name} is not unlocked: ${refusal}`] };
  const isCut = more.length > 0 && !more[0]?.startsWith("#");
  const rest = isCut ? ["text after the fourth field is ignored; write a space in a field as \\040"] : [];
  return {
    entry: { name, device: parseSpelledDevice(deviceText), key, options: { ...options, warnings: [] } },
    warnings: [...(options.warnings ?? []), ...mistakes, ...rest].map((warning) => `${name}: ${warning}`),
  };
}

/** Parses every option on its own: a malformed one is ignored. */
function readOptions(text: string): { options: CryptOptions; mistakes: readonly string[] } {
  const read = text.split(",").map((word) => ({ name: word.split("=", 1)[0], ...tryParse(parseCryptOptions, word) }));
  return {
    options: joinOptions(...read.flatMap((one) => ("value" in one ? one.value : []))),
    mistakes: read.flatMap((one) => ("expected" in one ? `${one.name}= is ignored: expected ${one.expected}` : [])),
  };
}

function findRefusal({ refusal }: CryptOptions, key: PlaceText | null, device: string): string | null {
  if (refusal !== undefined) return refusal;
  if (key !== null && isRandom(key)) return RANDOM_KEY;
  return device.startsWith("/") && !isDeviceText(device) ? notSupportedYet("a file as its device") : null;
}

/** "\040" as the space it stands for. */
function decodeEscapes(field: string): string {
  return field.replace(/(?:\\[0-3][0-7]{2})+/g, (run) =>
    decodeText(Uint8Array.from(run.slice(1).split("\\"), (digits) => Number.parseInt(digits, 8))),
  );
}
