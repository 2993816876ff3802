import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import type { Entry } from "./initramfs.ts";
import { TEST_PROGRAMS } from "./test-programs.ts";

const LOADER = "/lib64/ld-linux-x86-64.so.2";

/**
 * Programs with the libraries they need, as entries of an initramfs: those that are unpacked for tests (by the path that their
 * package gives them), and any other file of this host.
 */
export async function guestPrograms(...paths: readonly string[]): Promise<Record<string, Entry>> {
  const entries: Record<string, Entry> = {};
  for (const path of paths) Object.assign(entries, await program(path));
  return entries;
}

async function program(path: string): Promise<Record<string, Entry>> {
  const root = join(TEST_PROGRAMS, "root");
  const unpacked = [path, path.replace(/^\/usr\//, "/")].map((place) => join(root, place)).find(existsSync);
  const file = unpacked ?? path;
  const loader = unpacked === undefined ? LOADER : join(root, "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  const directories = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib"].map((name) => join(root, name));
  const libraryPath = unpacked === undefined ? [] : ["--library-path", directories.join(":")];
  const list = await run([loader, ...libraryPath, "--list", file]);
  const libraries = [...list.matchAll(/=> (\/\S+)/g)].map(([, library = ""]) => library);
  return {
    [path]: { file },
    [LOADER]: { file: loader },
    ...Object.fromEntries(libraries.map((library) => [library.replace(root, ""), { file: library }])),
  };
}
