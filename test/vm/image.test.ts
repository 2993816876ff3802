import { expect } from "bun:test";
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { debianKernel, type KernelFlavour } from "../support/kernels.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

const NO_MODULES = ["--kernel", "none"];
/** Any text of the sources. */
const PLAIN = join(import.meta.dirname, "../../biome.jsonc");

/** Not `levainImage`, which keeps what it makes: these images are asked for once. Returns the file and what was said. */
async function makeImage(...words: readonly string[]): Promise<{ readonly initrd: string; readonly summary: string }> {
  const initrd = join(scratchDirectory(), "image");
  return { initrd, summary: await run([LEVAIN, "image", "--output", initrd, ...words]) };
}

/** A directory with one of everything that an image can hold. */
async function everything(): Promise<string> {
  const tree = scratchDirectory();
  mkdirSync(join(tree, "sticky"));
  chmodSync(join(tree, "sticky"), 0o1777);
  writeFileSync(join(tree, "one"), "one file, two names\n");
  chmodSync(join(tree, "one"), 0o4711);
  linkSync(join(tree, "one"), join(tree, "two"));
  symlinkSync("one", join(tree, "link"));
  await runScript('mkfifo -m 600 "$1/fifo"; printf "" > "$1/empty"', [tree]);
  return tree;
}

/** Lines of a shell script that an image starts as its first program. */
const CHECK = `#!/bin/sh
cd /x; stat -c "%n %F %a %h" * | tr "\\n" "|"; echo; [ one -ef two ] && cat two link
/sbin/e2fsck -V
grep formatter /plain/biome.jsonc
echo check: done
# The kernel panics when its first program ends, and does not send what the console still has.
sleep 3600
`;

/** One image of each compression behind the other: each has something that the others do not have. */
async function threeImages(): Promise<VmTestOptions> {
  const directory = scratchDirectory();
  const [check, initrd] = [join(directory, "check"), join(directory, "images")];
  writeFileSync(check, CHECK, { mode: 0o755 });
  const images = [
    await makeImage(
      ...NO_MODULES,
      "--add",
      `${await everything()}:/x`,
      "--add",
      "/dev/full:/x/node",
      "--compress",
      "xz:0",
    ),
    await makeImage(...NO_MODULES, "--program", "/sbin/e2fsck", "--compress", "gzip:1"),
    await makeImage(
      ...NO_MODULES,
      "--add",
      `${check}:/check`,
      "--add",
      `${PLAIN}:/plain/biome.jsonc`,
      "--compress",
      "none",
    ),
  ];
  await runScript('out=$1; shift; cat "$@" > "$out"', [initrd, ...images.map((image) => image.initrd)]);
  return { initrd, cmdline: "init=/check", memoryMib: 768 };
}

// zstd is the compression of the guests with little memory, below.
vmTest(
  "the kernel unpacks xz:0, gzip:1 and none: files, hard links, symlinks, modes, fifos and device nodes as they were written; a program that was put in with its libraries runs",
  threeImages,
  async (vm) => {
    const lines = [
      "empty regular empty file 644 1",
      "fifo fifo 600 1",
      "link symbolic link 777 1",
      "node character special file 666 1",
      "one regular file 4711 2",
      "sticky directory 1777 2",
      "two regular file 4711 2",
    ];
    await vm.expect(`${lines.join("|")}|`);
    await vm.expect("one file, two names\none file, two names\n");
    await vm.expect(/e2fsck 1\.\d+/);
    await vm.expect('"formatter"');
    await vm.expect("check: done");
    expect(vm.log()).not.toContain("unpacking failed");
  },
);

/** A guest with as much memory as `levain image` names, in the sentence that `pattern` finds it in. */
async function smallGuest(kernel: KernelFlavour, pattern: RegExp, cmdline: string): Promise<VmTestOptions> {
  const { modulesDir } = await debianKernel(kernel);
  const { initrd, summary } = await makeImage("--modules-dir", modulesDir, "--compress", "zstd:1");
  const memory = pattern.exec(summary)?.[1];
  if (memory === undefined) throw new Error(`no memory is named in: ${summary}`);
  return { kernel, initrd, memoryMib: Number(memory), cmdline };
}

vmTest(
  "the memory that levain image names is enough without a root=",
  () => smallGuest("cloud", /, (\d+) MiB without root=/, "init=/bin/sh"),
  async (vm) => {
    await vm.expect(/modules +\d+ loaded/);
    await vm.expect(/# $/);
    vm.send("dmesg | grep -c 'unpacking failed'; echo over\n");
    await vm.expect(/^0\nover/m);
  },
);

for (const kernel of ["cloud", "full"] as const) {
  vmTest(
    `the memory that levain image names is enough with a root=, ${kernel} kernel`,
    () => smallGuest(kernel, /needs (\d+) MiB to boot/, "root=LABEL=NONE rd.timeout=1"),
    async (vm) => {
      await vm.expect(/modules +\d+ loaded/);
      await vm.expect('no device with label "NONE"');
      await vm.expect(PROMPT);
    },
  );
}
