import type { BytesPlace, CryptSettings } from "../../parameters/crypt/settings.ts";
import { formatDeviceSpec } from "../../parameters/device-spec.ts";
import { DEFAULT_SETTINGS } from "./crypt.ts";
import type { CryptPlan, CryptVolume } from "./crypt-plan.ts";

/** What is unlocked, a line a volume: pairs of a subject and a text. */
export function formatCrypt({ isOff, volumes, everyLuks, unnamed }: CryptPlan): readonly (readonly [string, string])[] {
  if (isOff) return [["encrypted", "nothing is opened"]];
  const isUsual = JSON.stringify(unnamed) === JSON.stringify(DEFAULT_SETTINGS);
  const other = everyLuks ? "every other LUKS volume" : "the root, where it is a LUKS volume";
  return [
    ...volumes.map((volume) => ["encrypted", formatVolume(volume)] as const),
    ...(isUsual && !everyLuks ? [] : [["encrypted", [other, ...formatSettings(unnamed)].join(", ")] as const]),
  ];
}

function formatVolume(volume: CryptVolume): string {
  const { device, name, plain, isOptional } = volume;
  const format =
    plain === null
      ? []
      : [
          `${plain.unlessLuks ? "if it is not LUKS: " : ""}plain ${plain.cipher} of ${plain.keyBits} bits, passphrase by ${plain.hash}`,
          ...(plain.offsetSectors === 0 ? [] : [`from sector ${plain.offsetSectors}`]),
          ...(plain.skipSectors === 0 ? [] : [`sectors counted from ${plain.skipSectors}`]),
          ...(plain.sizeSectors === null ? [] : [`${plain.sizeSectors} sectors`]),
          ...(plain.sectorBytes === 512 ? [] : [`sectors of ${plain.sectorBytes} bytes`]),
        ];
  const what = `${formatDeviceSpec(device)} as ${name ?? "luks-UUID"}`;
  return [what, ...format, ...formatSettings(volume), ...(isOptional ? ["can be missing"] : [])].join(", ");
}

function formatSettings(settings: CryptSettings): readonly string[] {
  const { header, keys, keyTimeoutMs, keyslot, tries, promptTimeoutMs, isReadOnly, options, allowsNull, maxKdfMs } =
    settings;
  const wait = keyTimeoutMs === null ? "for ever" : `at most ${keyTimeoutMs / 1000} s`;
  const isAwaited = [header, ...keys].some((place) => place !== null && place.in !== "image");
  return [
    ...(header === null ? [] : [`header ${formatPlace(header)}`]),
    ...keys.map((key) => `key ${formatPlace(key)}`),
    ...(isAwaited ? [`waiting for it ${wait}`] : []),
    ...(keyslot === null ? [] : [`keyslot ${keyslot} only`]),
    tries === 0 ? "any number of tries" : `${tries} ${tries === 1 ? "try" : "tries"}`,
    ...(promptTimeoutMs === null ? [] : [`each at most ${promptTimeoutMs / 1000} s`]),
    ...(maxKdfMs === null
      ? []
      : [maxKdfMs === 0 ? "any key derivation" : `key derivation at most ${maxKdfMs / 1000} s`]),
    ...(isReadOnly ? ["read-only"] : []),
    ...options,
    ...(allowsNull ? ["even unencrypted"] : []),
  ];
}

function formatPlace(place: BytesPlace): string {
  const { in: where, device, path } = place;
  if (where === "image" || device === null) return `${path} of the image${formatRange(place)}`;
  if (where === "device") return `${formatDeviceSpec(device)}${formatRange(place)}`;
  return `${path} ${device.by === "file" ? "of any device" : `on ${formatDeviceSpec(device)}`}${formatRange(place)}`;
}

function formatRange({ offset, size }: BytesPlace): string {
  if (size !== null) return ` bytes ${offset} to ${offset + size}`;
  return offset === 0 ? "" : ` from byte ${offset}`;
}
