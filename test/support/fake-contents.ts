import { makeFakeTree } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";
import { HAND_MADE } from "./probe/hand-made.ts";

const SMALL_BYTES = 4 << 20;

/** What a hand-made header of the probe's tests makes of a disk: "lvm2-sector-2", "md-1.1", "bitlocker-7". */
export function headerOnDisk(name: string): FakeImage {
  const made = HAND_MADE.find((one) => one.name === name);
  if (made === undefined) throw new Error(`there is no hand-made header ${name}`);
  const end = Math.max(...made.patches.map(({ at, bytes }) => at + bytes.length));
  const bytes = new Uint8Array(end > SMALL_BYTES ? made.size : SMALL_BYTES);
  for (const patch of made.patches) bytes.set(patch.bytes, patch.at);
  return { type: name, bytes, root: makeFakeTree() };
}

/** The same filesystem on a disk that was swap space before: two signatures that contradict each other. */
export function withStaleSwap(image: FakeImage): FakeImage {
  const bytes = new Uint8Array(SMALL_BYTES);
  bytes.set(image.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(1024, 1, true); // version of swap, and the inodes of ext4
  view.setUint32(1028, 1, true);
  bytes.set(Buffer.from("SWAPSPACE2"), 4096 - 10);
  return { ...image, bytes };
}
