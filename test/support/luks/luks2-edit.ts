const BINARY_BYTES = 4096;
const CHECKSUM_AT = 448;
const CHECKSUM_BYTES = 64;

/** A LUKS2 header's JSON, for tests that corrupt it. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests break
export type Luks2Json = any;

/** Where a copy lies, and its size, in an image that is right. */
export function copyPlaces(image: Uint8Array): { readonly offset: number; readonly bytes: number }[] {
  const bytes = Number(new DataView(image.buffer, image.byteOffset).getBigUint64(8));
  return [
    { offset: 0, bytes },
    { offset: bytes, bytes },
  ];
}

export function readJson(image: Uint8Array): Luks2Json {
  const area = image.subarray(BINARY_BYTES, copyPlaces(image)[0]?.bytes);
  return JSON.parse(new TextDecoder().decode(area.subarray(0, area.indexOf(0))));
}

/** A copy of the image with the JSON of both headers changed by `edit`, checksums right. */
export function editJson(image: Uint8Array, edit: (json: Luks2Json) => void): Uint8Array {
  const json = readJson(image);
  edit(json);
  return writeJsonText(image, new TextEncoder().encode(JSON.stringify(json)));
}

/** The same with any bytes as the JSON area's content, the rest of it zeros. */
export function writeJsonText(image: Uint8Array, text: Uint8Array): Uint8Array {
  return changeCopies(image, (copy) => {
    copy.fill(0, BINARY_BYTES);
    copy.set(text.subarray(0, copy.length - BINARY_BYTES), BINARY_BYTES);
  });
}

/** A copy of the image with both headers, or the given ones, changed by `change`, checksums right. */
export function changeCopies(
  image: Uint8Array,
  change: (copy: Uint8Array, view: DataView) => void,
  which: readonly number[] = [0, 1],
): Uint8Array {
  const changed = new Uint8Array(image);
  for (const index of which) {
    const place = copyPlaces(image)[index];
    if (place === undefined) throw new Error(`no copy ${index}`);
    const copy = changed.subarray(place.offset, place.offset + place.bytes);
    change(copy, new DataView(copy.buffer, copy.byteOffset, copy.length));
    sealCopy(copy);
  }
  return changed;
}

/** Makes the checksum right. */
export function sealCopy(copy: Uint8Array): void {
  copy.fill(0, CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES);
  copy.set(new Bun.CryptoHasher("sha256").update(copy).digest(), CHECKSUM_AT);
}

/** Makes a copy unreadable, as a stray write does. */
export function damageCopy(image: Uint8Array, index: number, at = 200): Uint8Array {
  const changed = new Uint8Array(image);
  const offset = (copyPlaces(image)[index]?.offset ?? 0) + at;
  changed[offset] = (changed[offset] ?? 0) ^ 0xff;
  return changed;
}
