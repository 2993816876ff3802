import { describe, expect, test } from "bun:test";
import { COPY_SIZES } from "../../../../src/formats/luks/luks2-copy.ts";
import { readLuksHeader } from "../../../../src/formats/luks/read-header.ts";
import { BASE } from "../../../support/luks/base-images.ts";
import { provideLuksImage, readImage } from "../../../support/luks/cryptsetup-image.ts";
import { changeCopies, readJson, sealCopy, writeJsonText } from "../../../support/luks/luks2-edit.ts";
import { byteSource } from "../../../support/luks/sources.ts";

const image = readImage(await provideLuksImage(BASE.luks2));

/** The same volume with copies of `size` bytes; its key material and data lie behind them. */
function resize(size: number): Uint8Array {
  const json = readJson(image);
  json.config.json_size = String(size - 4096);
  json.keyslots[0].area.offset = String(2 * size);
  json.segments[0].offset = String(2 * size + Number(json.config.keyslots_size));
  const resized = new Uint8Array(2 * size + (4 << 20));
  for (const offset of [0, size]) {
    resized.set(image.subarray(0, 4096), offset);
    if (offset > 0) resized.set(new TextEncoder().encode("SKUL"), offset);
    new DataView(resized.buffer, offset).setBigUint64(8, BigInt(size));
    new DataView(resized.buffer, offset).setBigUint64(256, BigInt(offset));
  }
  return writeJsonText(resized, new TextEncoder().encode(JSON.stringify(json)));
}

describe.each(COPY_SIZES)("copies of %i bytes", (size) => {
  const resized = resize(size);
  const told = (bytes: Uint8Array) => readLuksHeader(byteSource(bytes)).warnings;
  const useOfSecond = "the first copy of the LUKS2 header is damaged, the second is used: ";

  test("are both read", () => {
    expect(told(resized)).toEqual([]);
  });

  test("the second is found without the first", () => {
    expect(told(new Uint8Array(resized).fill(0, 0, size))).toEqual([`${useOfSecond}there is no header`]);
  });

  test("and if the first is valid but has another size", () => {
    const other = size === 16384 ? 32768 : 16384;
    const changed = new Uint8Array(resized);
    new DataView(changed.buffer).setBigUint64(8, BigInt(other));
    sealCopy(changed.subarray(0, other));
    expect(told(changed)).toEqual([expect.stringContaining(useOfSecond)]);
  });

  test("a second one of another size that is not newer is ignored", () => {
    const broken = changeCopies(resized, (copy) => copy.fill(0x20, 4096, 4100), [0]);
    if (size === 16384) return;
    const smaller = broken.slice(0, 16384);
    smaller.set(new TextEncoder().encode("SKUL"));
    new DataView(smaller.buffer).setBigUint64(8, 16384n);
    new DataView(smaller.buffer).setBigUint64(256, 16384n);
    sealCopy(smaller);
    broken.fill(0, 0, 4096);
    broken.set(smaller, 16384);
    expect(told(broken)).toEqual([`${useOfSecond}there is no header`]);
  });
});
