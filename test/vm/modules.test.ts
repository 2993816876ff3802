import { expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { selectModules } from "../../src/desk/modules/modules.ts";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { packDirectory, writeTree } from "../support/initramfs.ts";
import { debianKernel } from "../support/kernels.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { levainInit } from "../support/levain-image.ts";
import { readContent } from "../support/read-cpio.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

/** How a module's file is stored in the foreign image; a function changes it. */
type Storage = (name: string, bytes: Uint8Array) => readonly [ending: string, bytes: Uint8Array];

/** Without the signature at the end: what is changed and still signed is refused for that alone. */
function unsign(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.lastIndexOf(0));
}

function forAnotherKernel(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(unsign(bytes)).toString("latin1");
  return Buffer.from(text.replace("SMP preempt", "SMP nowhere"), "latin1");
}

function compressed(name: string, bytes: Uint8Array): readonly [string, Uint8Array] {
  if (name.startsWith("virtio")) return [".zst", zstdCompressSync(bytes)];
  if (name === "ext4") return ["", bytes]; // below by gzip
  if (name === "crc-itu-t") return ["", forAnotherKernel(bytes)];
  return [".xz", Bun.spawnSync(["xz", "-c", "--check=crc32"], { stdin: bytes }).stdout];
}

/** As a depmod that knows gzip would have written it: Debian's does not. */
const COMPRESS_EXT4 =
  'cd "$1/lib/modules"/*; gzip kernel/fs/ext4/ext4.ko; sed -i "s,^\\(kernel/fs/ext4/ext4.ko\\):,\\1.gz:," modules.dep';

/** An image as another tool makes it: levain as /init, BusyBox, modules, and what depmod says of them. */
async function foreignImage(storage: Storage): Promise<string> {
  const { modulesDir, version } = await debianKernel("full");
  const tree = scratchDirectory();
  writeTree(tree, {
    "/init": { file: levainInit() },
    "/bin/busybox": { file: BUSYBOX },
    "/etc/modprobe.d/test.conf": { text: "softdep virtio_blk post: loop\noptions loop max_loop=3\n" },
  });
  const { files } = selectModules({
    kernel: { version, modulesDir },
    add: [],
    patterns: [
      "drivers/virtio/virtio_pci",
      "drivers/block/virtio_blk",
      "drivers/block/loop",
      "lib/crc-itu-t",
      "fs/ext4/ext4",
      "drivers/ata/ahci",
    ],
    firmwareDirs: [],
  });
  for (const { path, content } of files.filter((file) => file.path.includes("/kernel/"))) {
    const [ending, bytes] = storage(path.replace(/^.*\/|\.ko$/g, ""), readContent(content));
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path + ending), bytes);
  }
  const lists = ["modules.order", "modules.builtin", "modules.builtin.modinfo"];
  for (const name of lists)
    writeFileSync(join(tree, "lib/modules", version, name), readFileSync(join(modulesDir, name)));
  await run(["depmod", "-b", tree, version]);
  if (storage === compressed) await runScript(COMPRESS_EXT4, [tree]);
  return packDirectory(tree);
}

async function foreignGuest(storage: Storage, cmdline: string): Promise<VmTestOptions> {
  return {
    kernel: "full",
    initrd: await foreignImage(storage),
    disks: [{ file: await rootImage("ext4", { label: "ROOT" }) }],
    cmdline: `root=LABEL=ROOT rd.debug ${cmdline}`,
    memoryMib: 1024,
  };
}

vmTest(
  "a foreign image's modules, compressed with zstd, gzip and xz, are loaded, no more of them than the root needs; one for another kernel is reported, and the boot continues",
  () => foreignGuest(compressed, "loop.max_loop=5 rd.modules=crc_itu_t,nosuch"),
  async (vm) => {
    await vm.expect(/could not load the module crc_itu_t: it was built for another kernel/);
    await vm.expect(/kernel: crc_itu_t: version magic '.*SMP nowhere.*' should be '.*SMP preempt/);
    await vm.expect("this image has no module nosuch");
    await vm.expect("small-root: mount / ext4 /dev/vda ro,");
    await vm.expect("small-root: ready");
    const log = vm.log();
    expect(log).toMatch(/module virtio_blk\s/);
    expect(log).toMatch(/module loop max_loop=3 max_loop=5\s/);
    expect(log).toMatch(/module ext4\s/);
    expect(log).not.toContain("module ahci");
    expect(log.match(/could not load the module \w+/g)).toEqual(["could not load the module crc_itu_t"]);
  },
);

vmTest(
  "a module whose signature is not trusted is reported, and the boot continues",
  () => {
    const unsigned: Storage = (name, bytes) => ["", name === "loop" ? unsign(bytes) : bytes];
    return foreignGuest(unsigned, "rd.modules=loop module.sig_enforce=1");
  },
  async (vm) => {
    await vm.expect(/could not load the module loop: .*sign.*\((EKEYREJECTED|ENOKEY)\)/);
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "the compressed modules of an image are loaded by levain, and by modprobe in the rescue shell",
  async () => levainGuest({ cmdline: "root=LABEL=NONE rd.timeout=1 rd.modules=udf rd.debug" }),
  async (vm) => {
    await vm.expect(PROMPT);
    expect(vm.log()).toMatch(/module udf\s/);
    expect(vm.log()).not.toContain("could not load");
    vm.send("cd /lib/modules/*/kernel/fs; echo udf/* xfs/* ../drivers/block/virtio*\n");
    await vm.expect(/^udf\/udf\.ko\.gz xfs\/xfs\.ko\.gz \.\.\/drivers\/block\/virtio_blk\.ko$/m);
    vm.send("modprobe xfs && grep -o '^xfs [0-9]* 0' /proc/modules\n");
    await vm.expect(/^xfs \d+ 0$/m);
  },
);
