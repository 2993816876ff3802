import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Architecture } from "../../src/desk/qemu/machines.ts";
import { run } from "./command.ts";
import { unpackedPackages } from "./debian-packages.ts";
import { GUEST_ARCHITECTURE, TARGETS } from "./guest-architecture.ts";
import type { Entry } from "./initramfs.ts";
import { TEST_PROGRAMS } from "./test-programs.ts";

/** Packages of AArch64 whose programs guests of tests have; for x86-64, build/packages-test.txt has all. */
const ARM_PACKAGES = ["dmsetup", "xz-utils"];

/**
 * Programs with the libraries they need, as entries of an initramfs: those that are unpacked for tests (by the path that their
 * package gives them), and any other file of this host.
 */
export function guestPrograms(...paths: readonly string[]): Promise<Record<string, Entry>> {
  return programsFor(GUEST_ARCHITECTURE, ...paths);
}

/** The same for guests of an architecture. */
export async function programsFor(
  architecture: Architecture,
  ...paths: readonly string[]
): Promise<Record<string, Entry>> {
  const unpacked = architecture === "x86_64" ? TEST_PROGRAMS : await unpackedPackages(ARM_PACKAGES, "arm64");
  const entries: Record<string, Entry> = {};
  for (const path of paths) Object.assign(entries, await program(architecture, join(unpacked, "root"), path));
  return entries;
}

async function program(architecture: Architecture, root: string, path: string): Promise<Record<string, Entry>> {
  const { loader: place } = TARGETS[architecture];
  const unpacked = [path, path.replace(/^\/usr\//, "/")].map((name) => join(root, name)).find(existsSync);
  if (unpacked === undefined && architecture !== "x86_64") throw new Error(`no package of ${architecture} has ${path}`);
  const file = unpacked ?? path;
  const directories = ["lib", "usr/lib"].map((name) => join(root, name, `${architecture}-linux-gnu`));
  const libraryPath = unpacked === undefined ? [] : ["--library-path", [...directories, join(root, "lib")].join(":")];
  const loader = unpacked === undefined ? place : join(root, `lib/${architecture}-linux-gnu`, basename(place));
  const emulator = architecture === "x86_64" ? [] : ["qemu-aarch64-static"];
  const list = await run([...emulator, loader, ...libraryPath, "--list", file]);
  const libraries = [...list.matchAll(/=> (\/\S+)/g)].map(([, library = ""]) => library);
  return {
    [path]: { file },
    [place]: { file: loader },
    ...Object.fromEntries(libraries.map((library) => [library.replace(root, ""), { file: library }])),
  };
}
