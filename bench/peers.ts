import { copyFileSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import { foreignImage, runInTools } from "../test/support/foreign-images.ts";
import { packInitramfs } from "../test/support/initramfs.ts";
import type { Kernel } from "../test/support/kernels.ts";
import { LEVAIN } from "../test/support/levain-image.ts";

/** An initramfs to measure. */
export interface Peer {
  readonly name: string;
  /** Its description in the notes of the table. */
  readonly what: string;
  /** Returns the initramfs file, from the cache or new. */
  readonly image: () => Promise<string>;
}

/** levain and its peers; all images are for any machine, the distribution's default. */
export function listPeers(kernel: Kernel): readonly Peer[] {
  return [
    { name: "C floor", what: "bench/floor.c with the modules that this disk needs", image: () => floorImage(kernel) },
    { name: "tiny-initramfs", what: "Debian's mktirfs with the same modules", image: () => tinyImage(kernel) },
    { name: "levain", what: "levain image with its defaults", image: () => levainImage(kernel) },
    {
      name: "initramfs-tools",
      what: "Debian's mkinitramfs with its defaults (MODULES=most, zstd) and BusyBox",
      image: () => foreignImage("initramfs-tools"),
    },
    {
      name: "dracut",
      what: "Debian's dracut --no-hostonly --zstd, with systemd, without recommended packages",
      image: () => foreignImage("dracut"),
    },
  ];
}

/** The modules for a virtio disk with ext4, without their dependencies. */
const ROOT_MODULES = ["virtio_pci", "virtio_blk", "ext4"];

/** Returns the files of the modules and their dependencies, in loading order. */
function moduleFiles({ modulesDir }: Kernel): readonly string[] {
  const lines = readFileSync(join(modulesDir, "modules.dep"), "utf8").split("\n");
  const files = ROOT_MODULES.flatMap((name) => {
    const line = lines.find((candidate) => candidate.split(":")[0]?.endsWith(`/${name}.ko`)) ?? "";
    return line
      .split(/:? /)
      .filter((path) => path !== "")
      .reverse();
  });
  return [...new Set(files)];
}

async function floorImage(kernel: Kernel): Promise<string> {
  const source = join(import.meta.dir, "floor.c");
  const key = recipeKey(readFileSync(source, "utf8"), readFileSync(import.meta.path, "utf8"), kernel.version);
  const directory = await cached("bench", `floor-${key}`, async (target) => {
    const modules = moduleFiles(kernel).map((file, number) => [
      `/modules/${number}.ko`,
      { file: join(kernel.modulesDir, file) },
    ]);
    const entries = {
      "/init": { file: await compileStatic(source) },
      "/dev": { directory: true },
      "/root": { directory: true },
      ...Object.fromEntries(modules),
    } as const;
    copyFileSync(await packInitramfs(entries), join(target, "image"));
  });
  return join(directory, "image");
}

/** Not cached, as levain changes. */
async function levainImage({ modulesDir }: Kernel): Promise<string> {
  const output = join(scratchDirectory(), "image");
  await run([LEVAIN, "image", "--output", output, "--modules-dir", modulesDir]);
  return output;
}

/** Compiles a C file into a static program and returns its path. */
export async function compileStatic(source: string): Promise<string> {
  const output = join(scratchDirectory(), basename(source, ".c"));
  await run(["gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", source, "-o", output]);
  return output;
}

/** tiny-initramfs has neither udev nor aliases, so it needs a list of modules. */
async function tinyImage(kernel: Kernel): Promise<string> {
  const names = moduleFiles(kernel).map((file) => basename(file, ".ko"));
  const command = `mktirfs -M no -m no --include-modules=${names.join(",")} -o /mnt/image ${kernel.version}`;
  const directory = await cached("bench", `tiny-initramfs-${recipeKey(command)}`, (target) =>
    runInTools(kernel, command, target).then(() => undefined),
  );
  return join(directory, "image");
}
