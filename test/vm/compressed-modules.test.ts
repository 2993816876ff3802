import { expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { debianKernel } from "../support/kernels.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

// Not a guest: a kernel's modules as Debian 13 (xz) and Arch (zstd) install them.
const TIMEOUT_MS = QUEUE_TIMEOUT_MS;
const COMPRESS = `
cd "$1/lib/modules/$2"
find kernel/fs kernel/lib kernel/crypto kernel/arch -name '*.ko' | xargs -n 50 xz -0 --check=crc32
find kernel -name '*.ko' | xargs -n 50 zstd -1 -q --rm
depmod -b "$1" "$2"
`;

/** Debian's cloud kernel with compressed modules: the directory above lib/modules, and the kernel's version. */
async function compressedTree(): Promise<{ readonly root: string; readonly version: string; readonly plain: string }> {
  const { modulesDir: plain, version } = await debianKernel("cloud");
  const root = scratchDirectory();
  mkdirSync(join(root, "lib/modules"), { recursive: true });
  cpSync(plain, join(root, "lib/modules", version), { recursive: true });
  await runScript(COMPRESS, [root, version]);
  return { root, version, plain };
}

interface Loaded {
  readonly do: string;
  readonly path: string;
}

test(
  "compressed modules: the same load order as modprobe's, and the same image as from plain ones",
  async () => {
    const { root, version, plain } = await compressedTree();
    const modulesDir = join(root, "lib/modules", version);
    for (const name of ["btrfs", "virtio_blk", "overlay", "xfs"]) {
      const theirs = (await run(["modprobe", "-d", root, "-S", version, "--show-depends", name])).trimEnd().split("\n");
      const told = await run([LEVAIN, "modules", "--json", "--modules-dir", modulesDir, name]);
      const [asked] = JSON.parse(told) as readonly {
        readonly targets: readonly { readonly load: readonly Loaded[] }[];
      }[];
      const ours = (asked?.targets ?? []).flatMap(({ load }) => load.filter((one) => one.do === "load"));
      expect(ours.map(({ path }) => basename(path))).toEqual(theirs.map((line) => basename(line.trim())));
      expect(ours.every(({ path }) => /\.ko\.(xz|zst)$/.test(path))).toBe(true);
    }
    const images = [plain, modulesDir].map((directory, index) => ({ directory, file: join(root, `image${index}`) }));
    for (const { directory, file } of images)
      await run([LEVAIN, "image", "--modules-dir", directory, "--compress", "none", "--output", file]);
    const [one, other] = images.map(({ file }) => readFileSync(file));
    expect(one?.length).toBeGreaterThan(1 << 24);
    expect(Buffer.compare(one ?? Buffer.of(), other ?? Buffer.of(1))).toBe(0);
  },
  TIMEOUT_MS,
);
