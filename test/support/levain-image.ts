import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { initProgramKinds } from "../../src/desk/program/init-program.ts";
import { cacheDirectory, cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run } from "./command.ts";
import { GUEST_ARCHITECTURE } from "./guest-architecture.ts";
import { initBytes } from "./init-bytes.ts";
import { debianKernel, type KernelFlavour } from "./kernels.ts";
// `levain image` takes the BusyBox of this host from the PATH that this file makes.
import { GUEST_BUSYBOX } from "./unpacked-programs.ts";

/** The program that all of this is about: dist/levain, or the one that `$LEVAIN_BINARY` names. */
export const LEVAIN = process.env["LEVAIN_BINARY"] || join(import.meta.dir, "../../dist/levain");

/** The program that guests boot: the same, or dist/levain-aarch64 (`$LEVAIN_AARCH64_BINARY`), which `levain image` of this host puts into images. */
export const AARCH64_LEVAIN =
  process.env["LEVAIN_AARCH64_BINARY"] || join(import.meta.dir, "../../dist/levain-aarch64");
const GUEST_LEVAIN = GUEST_ARCHITECTURE === "aarch64" ? AARCH64_LEVAIN : LEVAIN;
const GUEST_PROGRAMS = GUEST_LEVAIN === LEVAIN ? [] : ["--init", GUEST_LEVAIN, "--busybox", GUEST_BUSYBOX];

let init: string | null = null;

/** The program that `levain image` writes as /init, for an initramfs of a test's own. Returns its path. */
export function levainInit(): string {
  const [kind = "plain"] = initProgramKinds(GUEST_LEVAIN);
  const path = join(scratchDirectory(), "init");
  if (init === null) writeFileSync(path, initBytes(kind, GUEST_LEVAIN), { mode: 0o755 });
  init ??= path;
  return init;
}

export interface LevainImageOptions {
  /** Whose modules: "cloud" (default), "full", or "none" for an image without modules. */
  readonly kernel?: KernelFlavour | "none";
  readonly config?: string;
  /** Path in the image → file on the host. */
  readonly files?: Readonly<Record<string, string>>;
  /** More words for the command line, as "--module", "aoe"; files they name are not watched for changes. */
  readonly words?: readonly string[];
  /** METHOD[:LEVEL]; default lz4:1, which is quick both ways. */
  readonly compress?: string;
}

/** Beside an image: what `levain image` said about it. */
const SUMMARY = "summary";
const KEEP_OLD_MS = 3_600_000;

/** Builds an initramfs with `dist/levain image`, once for these options and this dist/levain, and returns its path. */
export async function levainImage(options: LevainImageOptions = {}): Promise<string> {
  const { kernel = "cloud", config, files = {}, words = [], compress = "lz4:1" } = options;
  const contents = Object.values(files).map((file) => [statSync(file).size, statSync(file).mtimeMs]);
  const program = programKey();
  const given = [...GUEST_PROGRAMS, ...words];
  const key = `${program}-${recipeKey(SUMMARY, kernel, config, files, contents, given, compress)}`;
  const directory = await cached("levain-images", key, async (target) => {
    const modules =
      kernel === "none" ? ["--kernel", "none"] : ["--modules-dir", (await debianKernel(kernel)).modulesDir];
    const additions = Object.entries(files).flatMap(([path, file]) => ["--add", `${file}:${path}`]);
    const output = ["--output", join(target, "image"), "--compress", compress];
    removeOldImages(program);
    const summary = await run([LEVAIN, "image", ...output, ...modules, ...additions, ...configWords(config), ...given]);
    writeFileSync(join(target, SUMMARY), summary);
  });
  // Another build of dist/levain, in another tree, must not remove what is used here.
  const now = new Date();
  utimesSync(directory, now, now);
  return join(directory, "image");
}

/** Returns the MiB that `levain image` said that an image of `levainImage` needs with this command line. */
export function memoryToBoot(image: string, cmdline: string): number {
  const summary = readFileSync(join(dirname(image), SUMMARY), "utf8");
  const [, withRoot, withoutRoot] = /needs (\d+) MiB to boot, (\d+) MiB without root=/.exec(summary) ?? [];
  return Number(/(?:^| )root=/.test(cmdline) ? withRoot : withoutRoot);
}

// Each build of dist/levain leaves images of up to 100 MB behind that nobody will ask for again.
function removeOldImages(program: string): void {
  const images = cacheDirectory("levain-images");
  for (const name of readdirSync(images)) {
    const path = join(images, name);
    // Another process may remove it at the same time.
    const changedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (!name.startsWith(program) && Date.now() - changedMs > KEEP_OLD_MS)
      rmSync(path, { recursive: true, force: true });
  }
}

function configWords(config: string | undefined): string[] {
  if (config === undefined) return [];
  const file = join(scratchDirectory(), "levain.toml");
  writeFileSync(file, config);
  return ["--config", file];
}

let keyOfProgram: string | null = null;

/** A key for the programs: reading their 160 MB in each of a hundred processes took minutes, so one leaves it for those that see the same file. */
function programKey(): string {
  keyOfProgram ??= recipeKey(...new Set([LEVAIN, GUEST_LEVAIN].map(hashOf)));
  return keyOfProgram;
}

function hashOf(program: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(program, { bigint: true });
  const note = join(cacheDirectory("program-keys"), [dev, ino, size, mtimeNs, ctimeNs].join("-"));
  if (!existsSync(note)) {
    const unfinished = `${note}.${process.pid}`;
    writeFileSync(unfinished, Bun.hash(readFileSync(program)).toString(16));
    renameSync(unfinished, note);
  }
  return readFileSync(note, "utf8");
}
