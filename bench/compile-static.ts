import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";

/** Compiles a C file into a static program and returns its path, which stays the same: caches go by it. */
export async function compileStatic(source: string): Promise<string> {
  const flags = ["-static", "-O2", "-Wall", "-Wextra", "-Werror"];
  const directory = await cached("bench", recipeKey(readFileSync(source, "utf8"), flags), async (target) => {
    await run(["gcc", ...flags, source, "-o", join(target, "program")]);
  });
  return join(directory, "program");
}
