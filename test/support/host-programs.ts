import { join } from "node:path";
import { run } from "./command.ts";
import type { Entry } from "./initramfs.ts";

/** Programs of this host with the libraries they need, as entries of an initramfs; each lies where it does here. */
export async function hostPrograms(...paths: readonly string[]): Promise<Record<string, Entry>> {
  const entries: Record<string, Entry> = {};
  for (const path of paths) {
    entries[path] = { file: path };
    for (const [library] of (await run(["ldd", path])).matchAll(/\/\S+\.so\S*/g))
      entries[join("/", library)] = { file: library };
  }
  return entries;
}
