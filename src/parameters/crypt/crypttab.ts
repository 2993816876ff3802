import { decodeText } from "../../formats/text.ts";
import { BootError } from "../../problems/errors.ts";
import type { DeviceSpec } from "../device-spec.ts";
import { type CryptOptions, parseCryptOptions } from "./options.ts";
import { isRandom, type PlaceText, parsePlace } from "./place.ts";
import { isDeviceText, parseMapperName, parseSpelledDevice } from "./text.ts";

/** A line of /etc/crypttab that asks for a volume. */
export interface CrypttabEntry {
  readonly name: string;
  readonly device: DeviceSpec;
  /** null: a person is asked. */
  readonly key: PlaceText | null;
  /** As they stand there, but for those that cannot be read. */
  readonly options: string;
}

/** What a crypttab says, every name once, and what of it is ignored, with the line's number. */
export interface Crypttab {
  readonly entries: readonly CrypttabEntry[];
  readonly warnings: readonly string[];
}

type Line = { readonly entry: CrypttabEntry | null; readonly warnings: readonly string[] };

/** Reads /etc/crypttab as systemd and Debian have it (crypttab(5) of both). Never throws: as there, a line that cannot be read is none. */
export function parseCrypttab(text: string): Crypttab {
  const entries: CrypttabEntry[] = [];
  const warnings: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const fields = line.trim().split(/\s+/).map(decodeEscapes);
    if (line.trim() === "" || line.trim().startsWith("#")) continue;
    try {
      const { entry, warnings: own } = readLine(fields);
      const isTaken = entry !== null && entries.some(({ name }) => name === entry.name);
      if (isTaken) warnings.push(`line ${index + 1} is ignored: an earlier line is called ${entry.name} too`);
      else if (entry !== null) entries.push(entry);
      warnings.push(...own.map((warning) => `line ${index + 1}: ${warning}`));
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      warnings.push(`line ${index + 1} is ignored: expected ${error.message}`);
    }
  }
  return { entries, warnings };
}

function readLine([
  nameText = "",
  deviceText = "",
  keyText = "none",
  optionsText = "",
  ...more
]: readonly string[]): Line {
  if (deviceText === "") throw new BootError("a name, a device, and perhaps a key file and options");
  const name = parseMapperName(nameText);
  const { options, text, mistakes } = readOptions(optionsText);
  if (options.isForLater) return { entry: null, warnings: [] };
  const key = /^(?:none|-)$/.test(keyText) ? null : parsePlace(keyText);
  const refusal = refuse(options, key, deviceText);
  if (refusal !== null) return { entry: null, warnings: [`${name} is not opened: ${refusal}`] };
  const entry = { name, device: parseSpelledDevice(deviceText), key, options: text };
  const isCut = more.length > 0 && !more[0]?.startsWith("#");
  const rest = isCut ? ["what stands behind its fourth field is ignored; a space in one is written as \\040"] : [];
  return { entry, warnings: [...options.warnings, ...mistakes, ...rest].map((warning) => `${name}: ${warning}`) };
}

/** Those that can be read, and what is wrong with the others. */
function readOptions(all: string) {
  const mistakes: string[] = [];
  const words = all.split(",").filter((word) => {
    try {
      parseCryptOptions(word);
      return true;
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      mistakes.push(`${word.split("=", 1)[0] ?? ""}= is ignored: expected ${error.message}`);
      return false;
    }
  });
  const text = words.join(",");
  return { options: parseCryptOptions(text), text, mistakes };
}

function refuse({ refusal }: CryptOptions, key: PlaceText | null, device: string): string | null {
  if (refusal !== null) return refusal;
  if (key !== null && isRandom(key)) return "its key is another one at each start";
  return device.startsWith("/") && !isDeviceText(device) ? "a file as its device is not supported" : null;
}

/** "\040" as the space it stands for. */
function decodeEscapes(field: string): string {
  return field.replace(/(?:\\[0-3][0-7]{2})+/g, (run) =>
    decodeText(Uint8Array.from(run.slice(1).split("\\"), (digits) => Number.parseInt(digits, 8))),
  );
}
