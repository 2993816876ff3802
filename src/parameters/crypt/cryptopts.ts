import type { DeviceSpec } from "../device-spec.ts";
import { parseCryptOptions } from "./options.ts";
import { type PlaceText, parsePlace } from "./place.ts";
import { expected, parseMapperName, parseSpelledDevice } from "./text.ts";

/** A volume as Debian's cryptopts= asks for it. */
export interface CryptOptsVolume {
  readonly name: string;
  readonly device: DeviceSpec;
  readonly key: PlaceText | null;
  /** The rest of its words, those of crypttab(5). */
  readonly options: string;
}

/**
 * cryptopts= of Debian's cryptsetup-initramfs (scripts/local-top/cryptroot): crypttab's fields as target=, source= and
 * key=, among its options. Throws BootError with what was expected.
 */
export function parseCryptOpts(text: string): CryptOptsVolume {
  const words = text.split(",").filter((word) => word !== "");
  const find = (name: string) => words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
  const source = find("source");
  if (source === null) throw expected("source=DEVICE among the words of cryptopts=");
  const key = find("key");
  const options = words.filter((word) => !/^(?:source|target|key)=/.test(word)).join(",");
  parseCryptOptions(options);
  return {
    name: parseMapperName(find("target") ?? "cryptroot"),
    device: parseSpelledDevice(source),
    key: key === null || /^(?:none|-|)$/.test(key) ? null : parsePlace(key),
    options,
  };
}
