// Records the bytes that levain reads of every image of a real tool, and the output of the real blkid and partx, so that the unit
// tests need no tools. Run `bun test/support/probe/record-images.ts DIRECTORY` after a change of a recipe or of the places that are
// read. DIRECTORY has the images of util-linux's own tests (tests/ts/blkid/images-fs/NAME.img.xz of its source package, unpacked as
// NAME): those of types that no tool of Debian 12 makes are recorded too.
import { join } from "node:path";
import { readPartitionTable } from "../../../src/formats/partitions/partition-table.ts";
import { probe } from "../../../src/formats/probe.ts";
import { createLinuxMachine } from "../../../src/machine/linux/linux.ts";
import { provideImage } from "./image-store.ts";
import { askBlkid, listPartitions } from "./real-tools.ts";
import { RECIPES } from "./recipes.ts";
import { encodeImages, type RecordedImage } from "./recorded-images.ts";
import { type Patch, sparseSource } from "./sparse-source.ts";

const ZERO_GAP_BYTES = 16;
const NOISE_BYTES = 512;
const FROM_UTIL_LINUX = [
  ...[
    "apfs",
    "bcache-B",
    "bcache-C",
    "bcache-journal",
    "bcachefs",
    "bcachefs-2",
    "bcachefs-3",
    "befs",
    "bitlocker-win7",
  ],
  ...[
    "cramfs-big",
    "cs_fvault2",
    "ddf-raid",
    "drbd-v09",
    "erofs-minix-magic",
    "hpfs",
    "jmicron-raid",
    "mpool",
    "netware",
  ],
  ...["nvidia-raid", "scoutfs_data", "scoutfs_meta", "swap-luks", "vxfs-be", "vxfs-le", "zfs", "zonefs"],
];
/** Noise does not compress and is not needed. */
const LEFT_OUT = ["random"];

/** The pieces of `bytes` that are not zero, as patches. */
function* findPieces(offset: number, bytes: Uint8Array): Generator<Patch> {
  let start = -1;
  let zeros = 0;
  for (const [i, byte] of bytes.entries()) {
    zeros = byte === 0 ? zeros + 1 : 0;
    if (byte !== 0 && start < 0) start = i;
    if (start >= 0 && (zeros > ZERO_GAP_BYTES || i === bytes.length - 1)) {
      yield { at: offset + start, bytes: bytes.slice(start, i + 1 - zeros) };
      start = -1;
    }
  }
}

/** Without long pieces that change nothing: encrypted key material is noise too. */
function dropNoise(size: number, pieces: readonly Patch[]): readonly Patch[] {
  const tell = (patches: readonly Patch[]) => JSON.stringify(probe(sparseSource(size, patches)));
  const told = tell(pieces);
  const withoutIt = (kept: readonly Patch[], noise: Patch) => {
    const others = kept.filter((piece) => piece !== noise);
    return noise.bytes.length < NOISE_BYTES || tell(others) !== told ? kept : others;
  };
  // One after the other: of four equal labels one has to stay.
  return pieces.reduce(withoutIt, pieces);
}

function record(name: string, path: string): RecordedImage {
  const reader = createLinuxMachine().openReader(path);
  const pieces = new Map<number, Patch>();
  const source = {
    size: reader.size,
    read(offset: number, length: number) {
      const bytes = reader.read(offset, length);
      for (const piece of findPieces(offset, bytes)) pieces.set(piece.at, piece);
      return bytes;
    },
  };
  probe(source);
  readPartitionTable(source, 512);
  reader.close();
  const { output, status } = askBlkid(path);
  const tells = status === 8 ? "ambivalent" : output.trimEnd().split("\n").slice(1).join(" | ");
  return {
    name,
    size: reader.size,
    tells,
    partitions: listPartitions(path, 512),
    patches: dropNoise(reader.size, [...pieces.values()]),
  };
}

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("the directory with util-linux's images is missing");
const images: RecordedImage[] = [];
for (const recipe of RECIPES.filter(({ name }) => !LEFT_OUT.includes(name))) {
  images.push(record(recipe.name, await provideImage(recipe)));
}
for (const name of FROM_UTIL_LINUX) images.push(record(`util-linux ${name}`, join(directory, name)));
await Bun.write(join(import.meta.dir, "recorded-images.zst"), encodeImages(images));
