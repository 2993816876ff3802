import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import { packInitramfs } from "../test/support/initramfs.ts";
import type { Kernel } from "../test/support/kernels.ts";
import { LEVAIN } from "../test/support/levain-image.ts";
import { type Purpose, runInChroot, type Suite } from "./chroots.ts";
import { compileStatic } from "./compile-static.ts";

/** The tools that need parameters and prompts of their own. */
export type Family = "levain" | "initramfs-tools" | "dracut" | "minimal";

/** A tool with its options, whose images are measured. */
export interface Candidate {
  readonly name: string;
  readonly family: Family;
  /** Its description in the notes of the table. */
  readonly what: string;
  /** "machine": its images contain only the modules of this one machine, so no other kernel or purpose is measured. */
  readonly serves: "any" | "machine";
  readonly purposes: readonly Purpose[];
  /** Writes an image for this kernel and purpose to `output`. */
  readonly make: (kernel: Kernel, purpose: Purpose, output: string) => Promise<void>;
}

/** The modules for a virtio disk with ext4, without their dependencies: what MODULES=dep finds on such a machine. */
const ROOT_MODULES = ["virtio_pci", "virtio_blk", "ext4"];
const SUITES: Readonly<Record<Suite, string>> = { bookworm: "12", sid: "sid" };

const OWN: readonly Candidate[] = [
  {
    name: "C floor",
    family: "minimal",
    what: "bench/floor.c with the modules that this disk needs",
    serves: "machine",
    purposes: ["disk"],
    make: makeFloor,
  },
  {
    name: "levain",
    family: "levain",
    what: "levain image with its defaults",
    serves: "any",
    purposes: ["disk", "live", "luks"],
    make: (kernel, _, output) => makeLevain(kernel.modulesDir, output),
  },
  {
    name: "levain, one machine",
    family: "levain",
    what: "levain image with the modules that this disk needs",
    serves: "machine",
    purposes: ["disk"],
    make: async (kernel, _, output) => makeLevain(await machineModules(kernel), output),
  },
  {
    name: "tiny-initramfs",
    family: "minimal",
    what: "Debian 12's mktirfs with the modules that this disk needs",
    serves: "machine",
    purposes: ["disk"],
    make: (kernel, purpose, output) => inChroot("bookworm", kernel, purpose, output, tinyCommand(kernel)),
  },
];

/** The commands of Debian's tools, which write ./image; the same for both suites. */
const DEBIAN: readonly (Pick<Candidate, "name" | "family" | "what" | "serves" | "purposes"> & {
  readonly command: (version: string, purpose: Purpose) => string;
})[] = [
  {
    name: "initramfs-tools",
    family: "initramfs-tools",
    what: "mkinitramfs with its defaults (MODULES=most, zstd), BusyBox, live-boot or cryptsetup-initramfs where they are needed",
    serves: "any",
    purposes: ["disk", "live", "luks"],
    command: (version) => `mkinitramfs -o image ${version}`,
  },
  {
    name: "initramfs-tools dep",
    family: "initramfs-tools",
    what: "mkinitramfs with the modules that MODULES=dep finds on this machine",
    serves: "machine",
    purposes: ["disk"],
    command: (version) =>
      `cp -r /etc/initramfs-tools conf; echo MODULES=list >> conf/initramfs.conf
       printf '%s\\n' ${ROOT_MODULES.join(" ")} > conf/modules; mkinitramfs -d conf -o image ${version}`,
  },
  {
    name: "dracut",
    family: "dracut",
    what: "dracut --no-hostonly --zstd, with systemd, without recommended packages",
    serves: "any",
    purposes: ["disk", "live", "luks"],
    command: (version, purpose) =>
      `dracut --no-hostonly --zstd --quiet ${DRACUT_WORDS[purpose]} --kver ${version} image`,
  },
  {
    name: "dracut lean",
    family: "dracut",
    what: "dracut with the modules base, rootfs-block and udev-rules and the drivers of this disk, without systemd",
    serves: "machine",
    purposes: ["disk"],
    command: (version) =>
      `dracut --no-hostonly --zstd --quiet -m "base rootfs-block udev-rules fs-lib" \\
         --drivers "${ROOT_MODULES.join(" ")}" --filesystems ext4 --kver ${version} image`,
  },
];

const DRACUT_WORDS: Readonly<Record<Purpose, string>> = { disk: "", live: "--add dmsquash-live", luks: "--add crypt" };

/** levain and its peers, of Debian 12 and of sid. */
export const CANDIDATES: readonly Candidate[] = [
  ...OWN,
  ...DEBIAN.flatMap(({ name, command, ...rest }) =>
    Object.entries(SUITES).map(([suite, title]) => ({
      ...rest,
      name: `${name} (${title})`,
      make: (kernel: Kernel, purpose: Purpose, output: string) =>
        inChroot(suite as Suite, kernel, purpose, output, command(kernel.version, purpose)),
    })),
  ),
];

/** Returns the image of a candidate: levain's is new, because levain changes; the others are cached. */
export async function provideImage(candidate: Candidate, kernel: Kernel, purpose: Purpose): Promise<string> {
  if (candidate.family === "levain") {
    const output = join(scratchDirectory(), "image");
    await candidate.make(kernel, purpose, output);
    return output;
  }
  const sources = ["candidates.ts", "chroots.ts", "floor.c"].map((name) =>
    readFileSync(join(import.meta.dir, name), "utf8"),
  );
  const key = recipeKey(candidate.name, kernel.version, purpose, sources);
  const directory = await cached("bench", key, (target) => candidate.make(kernel, purpose, join(target, "image")));
  return join(directory, "image");
}

async function inChroot(
  suite: Suite,
  kernel: Kernel,
  purpose: Purpose,
  output: string,
  command: string,
): Promise<void> {
  const place = scratchDirectory();
  await runInChroot({ suite, purpose }, kernel, `${command}; cp image /mnt/`, place);
  copyFileSync(join(place, "image"), output);
}

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

async function makeFloor(kernel: Kernel, _: Purpose, output: string): Promise<void> {
  const modules = moduleFiles(kernel).map((file, number) => [
    `/modules/${number}.ko`,
    { file: join(kernel.modulesDir, file) },
  ]);
  const entries = {
    "/init": { file: await compileStatic(join(import.meta.dir, "floor.c")) },
    "/dev": { directory: true },
    "/root": { directory: true },
    ...Object.fromEntries(modules),
  } as const;
  copyFileSync(await packInitramfs(entries), output);
}

async function makeLevain(modulesDir: string, output: string): Promise<void> {
  await run([LEVAIN, "image", "--output", output, "--modules-dir", modulesDir]);
}

/** Returns a directory of modules with those of this machine only; `levain image` makes the lists of depmod. */
async function machineModules(kernel: Kernel): Promise<string> {
  const target = join(scratchDirectory(), kernel.version);
  const files = [...moduleFiles(kernel), "modules.builtin", "modules.builtin.modinfo", "modules.order"];
  mkdirSync(target);
  await run(["cp", "--parents", ...files, target], { cwd: kernel.modulesDir });
  return target;
}

/** tiny-initramfs has neither udev nor aliases, so it needs a list of modules. */
function tinyCommand(kernel: Kernel): string {
  const names = moduleFiles(kernel).map((file) => basename(file, ".ko"));
  return `mktirfs -M no -m no --include-modules=${names.join(",")} -o image ${kernel.version}`;
}
