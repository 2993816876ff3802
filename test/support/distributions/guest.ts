import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../cache.ts";
import { run, unprivileged } from "../command.ts";
import { treeImage } from "../filesystem-images.ts";
import { PROMPT } from "../levain-guest.ts";
import { LEVAIN } from "../levain-image.ts";
import { type VmTestOptions, vmTest } from "../vm-test.ts";
import { type DistributionName, distributionTree } from "./tree.ts";

const DISK_MIB = 256;

/** Builds the image of such a system without root, with what it has. Returns the file, and what was said. */
export async function imageOf(name: DistributionName, ...words: readonly string[]) {
  const { root, version } = await distributionTree(name);
  const initrd = join(scratchDirectory(), "image");
  // Only Raspberry Pi OS has several kernels.
  const kernel = name === "Raspberry Pi OS" ? ["--kernel", version] : [];
  const argv = [LEVAIN, "image", "--root", root, ...kernel, "--output", initrd, "--compress", "lz4:1", ...words];
  return { root, initrd, said: await run(unprivileged(argv)) };
}

async function guest(name: DistributionName): Promise<VmTestOptions> {
  const { root, initrd } = await imageOf(name);
  const disk = await treeImage("ext4", root, { label: "ROOT" }, DISK_MIB);
  return { initrd, disks: [{ file: disk }], cmdline: "root=LABEL=NONE rd.timeout=1 rd.debug" };
}

/** A test that boots the image of such a system: first to the rescue shell, then to its init, whose os-release(5) has `pretty`. */
export function distributionTest(name: DistributionName, pretty: string): void {
  vmTest(
    `an image for a system laid out as ${name} has a rescue shell, and boots to its init`,
    () => guest(name),
    async (vm) => {
      await vm.expect('no device with label "NONE"');
      await vm.expect(PROMPT);
      vm.send("levain status; levain retry root=LABEL=ROOT\n");
      await vm.expect("small-root: init is /sbin/init, PID 1");
      await vm.expect("small-root: mount / ext4 /dev/vda ro,");
      await vm.expect("small-root: ready");
      vm.send("grep PRETTY_NAME /etc/os-release; ls -l /sbin/init\n");
      await vm.expect(`PRETTY_NAME="${pretty}"`);
      await vm.expect("../lib/systemd/systemd");
      expect(vm.log()).toMatch(/module virtio_blk\s/);
      expect(vm.log()).not.toContain("could not load");
    },
  );
}
