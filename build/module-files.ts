import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../src/errors.ts";
import { parseDependencies } from "../src/modules/kernel-files.ts";
import type { Voice } from "../src/voice.ts";
import { attempt } from "./attempt.ts";
import { contentOfBytes } from "./content.ts";
import type { KernelChoice } from "./kernel.ts";
import { type ImageTree, putEntry } from "./tree.ts";

/** Puts the kernel's modules of these names, with what they depend on, into the image. Returns how many. */
export function addModules(tree: ImageTree, kernel: KernelChoice, names: readonly string[], _voice: Voice): number {
  const depFile = join(kernel.modulesDir, "modules.dep");
  const lines = new Map(
    parseDependencies(attempt(`cannot read ${depFile}`, () => readFileSync(depFile, "utf8"))).map((line) => [line.name, line]),
  );
  const wanted = new Set<string>();
  const visit = (name: string) => {
    const line = lines.get(name);
    if (!line) throw new BootError(`there is no module ${name} for the kernel ${kernel.version}`);
    if (wanted.has(name)) return;
    wanted.add(name);
    line.dependencies.forEach(visit);
  };
  names.map((name) => name.replaceAll("-", "_")).forEach(visit);
  for (const name of wanted) {
    const path = lines.get(name)?.path ?? "";
    const content = contentOfBytes(attempt(`cannot read ${path}`, () => readFileSync(join(kernel.modulesDir, path))));
    putEntry(tree, { kind: "file", path: `/lib/modules/${kernel.version}/${path}`, mode: 0o644, content });
  }
  return wanted.size;
}
