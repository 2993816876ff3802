// What stacks cost by icount, in milliseconds from `Run /init` to the real init: 1, 8 and 64 layers, and dm-verity, in guests with
// the cloud kernel: `node_modules/.bin/bun bench/stacks.ts`
import { rootImage } from "../test/support/filesystem-images.ts";
import { levainImage } from "../test/support/levain-image.ts";
import "../test/support/test-programs.ts";
import { verityFixture } from "../test/support/verity-fixture.ts";
import { bootLayers, initMs } from "./growth.ts";
import { markChanges, sceneWords } from "./scenes.ts";

const image = await levainImage({ kernel: "cloud" });
const root = await rootImage("squashfs-zstd", {}, await markChanges());
const { hashes, rootHash } = await verityFixture(root);
const common = sceneWords("minimal", "live");

const ways: Readonly<Record<string, () => Promise<number>>> = {
  "squashfs on a disk": () =>
    initMs({ name: "plain", image, disks: [{ file: root }, { file: hashes }], cmdline: `root=/dev/vda ${common}` }),
  "the same, verified by dm-verity": () =>
    initMs({
      name: "verity",
      image,
      disks: [{ file: root }, { file: hashes }],
      cmdline: `root=/dev/vda rd.verity.hash=/dev/vdb roothash=${rootHash} ${common}`,
    }),
  ...Object.fromEntries([1, 8, 64].map((count) => [`boot=live, ${count} layers`, () => bootLayers(image, count - 1)])),
};
for (const [name, measure] of Object.entries(ways)) {
  console.log(`${name.padEnd(34)} ${(await measure()).toFixed(0).padStart(6)} ms`);
}
