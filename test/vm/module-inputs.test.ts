import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { rawCpio } from "../support/crafted-cpio.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { debianKernel } from "../support/kernels.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { levainImage } from "../support/levain-image.ts";
import { vmTest } from "../support/vm-test.ts";

const MODPROBE = `options virtio_blk num_request_queues=1
softdep virtio_blk pre: loop
options loop max_loop=3
blacklist ata_piix
install ext4 /bin/sh -c "echo never run"
`;

/** The kernel's modules without the lists of depmod(8) from which aliases, dependencies and soft dependencies are read. */
async function bareModules(): Promise<string> {
  const { modulesDir, version } = await debianKernel("cloud");
  const tree = join(scratchDirectory(), version);
  await runScript('cp -rl "$1" "$2"; rm "$2"/modules.alias* "$2"/modules.dep* "$2"/modules.softdep', [
    modulesDir,
    tree,
  ]);
  return tree;
}

vmTest(
  "files of modprobe.d come into the image, and the boot obeys them; the image's lists are made from the modules if depmod's are missing; the kernel reads an uncompressed archive behind a compressed one",
  async () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "mine.conf"), MODPROBE);
    const words = ["--modprobe-dir", directory, "--modules-dir", await bareModules()];
    const initrd = join(scratchDirectory(), "both");
    const more = rawCpio([{ name: "more", data: "appended and read\n" }]);
    writeFileSync(initrd, Buffer.concat([readFileSync(await levainImage({ compress: "lz4:1", words })), more]));
    const disks = [{ file: await rootImage("ext4", { label: "ROOT" }) }];
    return { kernel: "cloud", initrd, disks, cmdline: "root=LABEL=ROOT rd.debug rd.drivers=all rd.break=root" };
  },
  async (vm) => {
    await vm.expect(PROMPT);
    vm.send("cat /more; exit\n");
    await vm.expect(/^appended and read$/m);
    await vm.expect("small-root: mount / ext4 /dev/vda ro,");
    await vm.expect("small-root: ready");
    vm.send("cd /sys/module; echo $(cat virtio_blk/parameters/num_request_queues loop/parameters/max_loop) read\n");
    await vm.expect(/^1 3 read$/m);
    vm.send("grep -c ata_piix /proc/modules; echo counted\n");
    await vm.expect(/^0\ncounted$/m);
    expect(vm.log()).toContain("module ata_piix is blacklisted");
    expect(vm.log()).not.toMatch(/never run|is not run|Initramfs unpacking failed/);
  },
);
