// C that tests need compiled, each once per cache: starting a compiler for every part of stage0 takes 3 s of CPU time.
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { linkStage0 } from "../../build/stage0/link.ts";
import { cacheDirectory, cached, recipeKey } from "./cache.ts";
import { run } from "./command.ts";

const SUPPORT = import.meta.dir;
const STAGE0 = join(SUPPORT, "../../build/stage0");
const WARNINGS = ["-Wall", "-Wextra", "-Werror"];

/** Compiles a C file of test/support with these flags of gcc. Returns the path of the program, which others use too. */
export async function compileOnce(source: string, ...flags: readonly string[]): Promise<string> {
  const path = join(SUPPORT, source);
  const argv = ["gcc", ...flags, ...WARNINGS, path];
  const directory = await cached("programs", recipeKey(argv, readFileSync(path, "utf8")), async (target) => {
    await run([...argv, "-o", join(target, "program")]);
  });
  return join(directory, "program");
}

/** As `linkStage0`; what was linked before from the same sources is taken from the cache. */
export const linkOnce: typeof linkStage0 = (target, address, places, symbols) => {
  const name = recipeKey(target, address, places, symbols ?? null, stage0Sources(), toolsOf(target.compiler));
  const path = join(cacheDirectory("stage0"), name);
  if (existsSync(path)) return readFileSync(path);
  const linked = linkStage0(target, address, places, symbols);
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, linked);
  renameSync(unfinished, path);
  return linked;
};

const tools = new Map<string, readonly unknown[]>();

/** Size and time of the compiler and of the libraries in stage0, which an upgrade of the host changes. */
function toolsOf(compiler: string): readonly unknown[] {
  const known = tools.get(compiler);
  if (known !== undefined) return known;
  const archives = ["libzstd.a", "liblz4.a"].map((name) =>
    Bun.spawnSync([compiler, `-print-file-name=${name}`])
      .stdout.toString()
      .trim(),
  );
  const found = [Bun.which(compiler) ?? "", ...archives]
    .filter((path) => existsSync(path))
    .map((path) => statSync(path));
  const stamps = found.map(({ size, mtimeMs }) => [size, mtimeMs]);
  tools.set(compiler, stamps);
  return stamps;
}

let sources: string | null = null;

/** The content of all that `linkStage0` compiles, and of link.ts itself. */
function stage0Sources(): string {
  const names = readdirSync(STAGE0, { recursive: true, encoding: "utf8" });
  const isSource = (name: string) => /\.(?:c|h|ld)$|^link\.ts$/.test(name);
  sources ??= names
    .filter(isSource)
    .sort()
    .map((name) => `${name}\n${readFileSync(join(STAGE0, name), "utf8")}`)
    .join("");
  return sources;
}
