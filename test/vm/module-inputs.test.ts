import { expect } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { rawCpio } from "../support/crafted-cpio.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { debianKernel } from "../support/kernels.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { levainImage } from "../support/levain-image.ts";
import { vmTest } from "../support/vm-test.ts";

const MODPROBE = `options virtio_blk num_request_queues=1
softdep virtio_blk pre: loop
options loop max_loop=3
blacklist ata_piix
install ext4 /bin/sh -c "echo never run"
`;

vmTest(
  "files of modprobe.d come into the image, and the boot obeys their options, soft dependencies and blacklists",
  async () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "mine.conf"), MODPROBE);
    return levainGuest({
      image: { words: ["--modprobe-dir", directory] },
      disks: [await rootImage("ext4", { label: "ROOT" })],
      cmdline: "root=LABEL=ROOT rd.debug rd.drivers=all",
    });
  },
  async (vm) => {
    await vm.expect("small-root: ready");
    vm.send("cd /sys/module; echo $(cat virtio_blk/parameters/num_request_queues loop/parameters/max_loop) read\n");
    await vm.expect(/^1 3 read$/m);
    vm.send("grep -c ata_piix /proc/modules; echo counted\n");
    await vm.expect(/^0\ncounted$/m);
    expect(vm.log()).toContain("module ata_piix is blacklisted");
    expect(vm.log()).not.toMatch(/never run|is not run/);
  },
);

vmTest(
  "aliases, dependencies and soft dependencies are made from the modules if depmod's lists are missing",
  async () => {
    const { modulesDir, version } = await debianKernel("cloud");
    const tree = join(scratchDirectory(), version);
    await runScript('cp -rl "$1" "$2"; rm "$2"/modules.alias* "$2"/modules.dep* "$2"/modules.softdep', [
      modulesDir,
      tree,
    ]);
    const initrd = await levainImage({ words: ["--modules-dir", tree] });
    rmSync(tree, { recursive: true });
    expect(basename(tree)).toBe(version);
    const disks = [{ file: await rootImage("ext4", { label: "ROOT" }) }];
    return { kernel: "cloud", initrd, disks, cmdline: "root=LABEL=ROOT" };
  },
  async (vm) => {
    await vm.expect("small-root: mount / ext4 /dev/vda ro,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "the kernel reads an uncompressed archive that was appended to a compressed image",
  async () => {
    const initrd = join(scratchDirectory(), "both");
    const more = rawCpio([{ name: "more", data: "appended and read\n" }]);
    writeFileSync(initrd, Buffer.concat([readFileSync(await levainImage({ compress: "lz4:1" })), more]));
    return { kernel: "cloud", initrd, cmdline: "rd.break=root" };
  },
  async (vm) => {
    await vm.expect(PROMPT);
    vm.send("cat /more\n");
    await vm.expect(/^appended and read$/m);
    expect(vm.log()).not.toContain("Initramfs unpacking failed");
  },
);
