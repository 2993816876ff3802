import { existsSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { run } from "./command.ts";

export interface Installed {
  /** Debian's, such as "required". */
  readonly priority: string;
  /** Names of packages, of alternatives all. */
  readonly needs: readonly string[];
}

export async function readInstalled(): Promise<ReadonlyMap<string, Installed>> {
  const fields = ["Package", "Priority", "Pre-Depends", "Depends"].map((name) => `$\{${name}}`);
  const lines = (await run(["dpkg-query", "-W", "-f", `${fields.join("\\t")}\\n`])).trimEnd();
  return new Map(
    lines.split("\n").map((line) => {
      const [name = "", priority = "", ...depends] = line.split("\t");
      const needs = depends
        .join(",")
        .split(/[,|]/)
        .map((part) => part.trim().split(/[ :]/)[0] ?? "");
      return [name, { priority, needs }];
    }),
  );
}

/** Returns these packages and all that they depend on, as far as they are installed. */
export function closure(installed: ReadonlyMap<string, Installed>, names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const queue = [...names]; queue.length > 0; ) {
    const name = queue.pop() ?? "";
    const entry = installed.get(name);
    if (entry === undefined || found.has(name)) continue;
    found.add(name);
    queue.push(...entry.needs);
  }
  return found;
}

/** Returns a new directory that contains links to the programs of Debian's base system and of these packages, with what they depend on. */
export async function programsOf(names: readonly string[]): Promise<string> {
  const installed = await readInstalled();
  const base = [...installed].filter(([, { priority }]) => priority === "required").map(([name]) => name);
  const files = await run(["dpkg-query", "-L", "apt", ...closure(installed, [...base, ...names])]);
  const directory = scratchDirectory();
  for (const file of files.split("\n")) {
    const link = join(directory, basename(file));
    if (/^(\/usr)?\/s?bin\/[^/]+$/.test(file) && !existsSync(link)) symlinkSync(file, link);
  }
  return directory;
}
