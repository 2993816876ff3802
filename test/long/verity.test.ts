import { expect } from "bun:test";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { verityFixture } from "../support/verity-fixture.ts";
import { vmTest } from "../support/vm-test.ts";

// What the kernel does at a damaged block, by the options of veritytab(5). vm/verity.test.ts has its default, and the correction.

const damagedRoot = (option: string) => async () => {
  const { damaged, hashes, rootHash } = await verityFixture(await rootImage("squashfs-zstd"));
  const words = `root=/dev/vda roothash=${rootHash} rd.verity.hash=/dev/vdb rd.verity.options=${option}`;
  return levainGuest({ disks: [damaged, hashes], cmdline: words });
};

vmTest("restart-on-corruption restarts the machine", damagedRoot("restart-on-corruption"), async (vm) => {
  expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-reset" });
  expect(vm.log()).toMatch(/device-mapper: verity: .*data block \d+ is corrupted/);
});

vmTest("panic-on-corruption ends in a panic of the kernel", damagedRoot("panic-on-corruption"), async (vm) => {
  await vm.expect(/Kernel panic - not syncing: dm-verity device corrupted/);
});
