import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readBinaryParts } from "../../src/drivers/index/binary-index.ts";
import {
  parseAliases,
  parseBuiltinAliases,
  parseDependencies,
  parsePathList,
} from "../../src/drivers/index/kernel-files.ts";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { type ForeignTool, foreignImage, repacked, runInTools } from "../support/foreign-images.ts";
import { graftedGuest, graftTest } from "../support/grafted-guest.ts";
import { packDirectory, packInitramfs } from "../support/initramfs.ts";
import { debianKernel } from "../support/kernels.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

// Those compressed with zstd are in the image that is laid out as mkinitcpio's.
/** The image with modules that initramfs-tools would have left compressed with xz, behind early microcode. */
async function compressedImage(image: string): Promise<string> {
  const { version } = await debianKernel("cloud");
  const compress = `find usr/lib/modules -name '*.ko' -exec xz -0 --check=crc32 {} +; depmod -b . "$1"`;
  const early = await packInitramfs({
    "/kernel/x86/microcode/AuthenticAMD.bin": { text: "not for this processor", mode: 0o644 },
  });
  const both = join(scratchDirectory(), "both");
  await runScript('cat "$1" "$2" > "$3"', [early, await repacked(image, version, compress), both]);
  return both;
}

async function withoutLists(image: string): Promise<string> {
  const { version } = await debianKernel("cloud");
  return repacked(image, version, 'rm "usr/lib/modules/$1"/modules.*');
}

/** The tools, and what is changed in the image, so that one guest shows it too. */
const IMAGES: readonly [tool: ForeignTool, what: string, change: (image: string) => string | Promise<string>][] = [
  ["initramfs-tools", ", its modules compressed with xz, behind early microcode,", compressedImage],
  ["initramfs-tools without BusyBox", " and without depmod's files", withoutLists],
  ["dracut", "", (image) => image],
  ["dracut without systemd", "", (image) => image],
];

for (const [tool, what, change] of IMAGES) graftTest(`${tool}${what}`, async () => change(await foreignImage(tool)));

// mkinitcpio is not in Debian: this is its layout, as its `functions` and `install/base` make it. BusyBox and a script
// as /init, usrmerge links, modules in one directory and compressed, and of depmod's files only the binary ones.
const MKINITCPIO = `
tree=$PWD
mkdir -p usr/bin usr/lib/modules/$1/kernel hooks etc proc sys dev run tmp new_root
ln -s usr/bin bin; ln -s usr/bin sbin; ln -s usr/lib lib; ln -s usr/lib lib64; ln -s bin usr/sbin
cp "$3" usr/bin/busybox; ln -s busybox usr/bin/ash; ln -s busybox usr/bin/sh
printf '#!/usr/bin/ash\\n. /init_functions\\n' > init; chmod 755 init
echo 'mount_setup() { :; }' > init_functions; echo 'HOOKS="udev"' > config; echo VERSION=39 > VERSION
find "$2" -name virtio_pci.ko -o -name virtio_blk.ko -o -name 'virtio_pci_*_dev.ko' -o -name virtio.ko -o -name virtio_ring.ko -o -name ext4.ko \\
  -o -name jbd2.ko -o -name mbcache.ko -o -name crc16.ko -o -name crc32c_generic.ko -o -name crc32c-intel.ko | while read -r module; do
  zstd -q "$module" -o "usr/lib/modules/$1/kernel/\${module##*/}.zst"
done
cp "$2/modules.builtin" "$2/modules.builtin.modinfo" "usr/lib/modules/$1/"
sed 's,.*/,kernel/,' "$2/modules.order" > "usr/lib/modules/$1/modules.order"
depmod -b . "$1"
cd "usr/lib/modules/$1"
for file in modules.*; do case $file in *.bin|*.devname|*.softdep) ;; *) rm "$file" ;; esac; done
`;

async function mkinitcpioImage(): Promise<string> {
  const { modulesDir, version } = await debianKernel("cloud");
  const tree = scratchDirectory();
  await runScript(MKINITCPIO, [version, modulesDir, BUSYBOX], { cwd: tree });
  return packDirectory(tree);
}

vmTest(
  "an image laid out as mkinitcpio's, with depmod's binary files only, boots the root disk",
  async () => graftedGuest(await mkinitcpioImage(), ""),
  async (vm) => {
    await vm.expect("small-root: ready");
    expect(vm.log()).toMatch(/module virtio_blk\s/);
    expect(vm.log()).not.toContain("could not");
  },
);

vmTest(
  "an initramfs that does not fit into memory is named as the reason",
  async () => {
    const initrd = join(scratchDirectory(), "image");
    const { modulesDir } = await debianKernel("cloud");
    const ballast = join(scratchDirectory(), "ballast");
    writeFileSync(ballast, Buffer.alloc(48 << 20));
    const words = [
      "--output",
      initrd,
      "--modules-dir",
      modulesDir,
      "--compress",
      "lz4",
      "--add",
      `${ballast}:/lib/ballast`,
    ];
    const summary = await run([LEVAIN, "image", ...words]);
    const needed = Number(/(\d+) MiB without root=/.exec(summary)?.[1]);
    // /init and the shell still fit, the ballast does not, and the modules come after it.
    return { initrd, memoryMib: needed - 64, cmdline: "init=/missing" };
  },
  async (vm) => {
    await vm.expect("warning   the initramfs did not fit into memory");
    await vm.expect("the root's init /missing cannot be started");
    await vm.expect("the initramfs did not fit into memory: the kernel left out its end");
    await vm.expect("Initramfs unpacking failed: write error");
    await vm.expect(PROMPT);
  },
);

test("depmod's binary files agree with its text files on every module", async () => {
  const { modulesDir } = await debianKernel("full");
  const bytes = (name: string) => readFileSync(join(modulesDir, name));
  const text = (name: string) => bytes(name).toString();
  const parts = readBinaryParts((name) => bytes(`modules.${name}.bin`), "");
  const sorted = <T>(items: readonly T[] | undefined) => items?.map((item) => JSON.stringify(item)).sort();
  const unique = (items: readonly string[] | undefined) => [...new Set(items)];
  expect(parts?.modules.length).toBeGreaterThan(3000);
  expect(sorted(parts?.modules)).toEqual(sorted(parseDependencies(text("modules.dep"))));
  expect(unique(sorted(parts?.aliases))).toEqual(unique(sorted(parseAliases(text("modules.alias")))));
  expect(sorted(parts?.builtin)).toEqual(sorted(parsePathList(text("modules.builtin"))));
  const builtinAliases = parseBuiltinAliases(text("modules.builtin.modinfo"));
  expect(unique(sorted(parts?.builtinAliases))).toEqual(unique(sorted(builtinAliases)));
});

/** The time in a line of cpio, of lsinitrd, or ours: the name is what comes after it. */
const TIME = /[A-Z][a-z]{2} [ \d]\d [ \d:]{5} |\d{4}-\d\d-\d\d \d\d:\d\d /;

test("lsinitramfs, lsinitrd and cpio list what levain inspect lists", async () => {
  const kernel = await debianKernel("cloud");
  const lines = (text: string) => text.split("\n").filter((line) => line !== "");
  const nameOf = (line: string) => line.split(TIME)[1]?.replace(/ -> .*$/, "");
  const sorted = (names: readonly (string | undefined)[]) => [...new Set(names)].sort();
  for (const [tool, list] of [
    ["initramfs-tools", "lsinitramfs /mnt/image"],
    ["dracut", "lsinitrd /mnt/image | grep '^[-dlcbps][-rwxsStT]\\{9\\} '"],
  ] as const) {
    const image = await foreignImage(tool);
    const ours = lines(await run([LEVAIN, "inspect", "--list", image]));
    expect(ours.length).toBeGreaterThan(100);
    const theirs = lines(await runInTools(kernel, list, dirname(image)));
    expect(sorted(ours.map(nameOf))).toEqual(sorted(tool === "dracut" ? theirs.map(nameOf) : theirs));
    // All but the time, which cpio shows by how long ago it was.
    const cpio = lines(await runInTools(kernel, "zstd -dcq /mnt/image | cpio --quiet -itvn", dirname(image)));
    expect(ours.map((line) => line.replace(TIME, ""))).toEqual(cpio.map((line) => line.replace(TIME, "")));
  }
});

test("unmkinitramfs unpacks what levain extract unpacks", async () => {
  const image = await foreignImage("initramfs-tools");
  const ours = join(scratchDirectory(), "tree");
  await run([LEVAIN, "extract", "--special", image, ours]);
  const script = `unmkinitramfs /mnt/image theirs; cd theirs; ${DESCRIBE}`;
  const theirs = await runInTools(await debianKernel("cloud"), script, dirname(image));
  expect(await runScript(DESCRIBE, [], { cwd: ours })).toBe(theirs);
});

/** Names, modes, owners, links and contents of a tree. */
const DESCRIBE =
  "find . -mindepth 1 -printf '%P %y %m %U %G %l\\n' | LC_ALL=C sort; find . -type f -exec md5sum {} + | LC_ALL=C sort -k2";
