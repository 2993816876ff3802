import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { KEYMAP_DIRECTORY, KEYMAP_ENDING, parseKeymap } from "../../formats/keymap.ts";
import { BootError } from "../../problems/errors.ts";
import { contentOfBytes } from "../archive/content.ts";
import { type ImageTree, putEntry } from "../archive/tree.ts";
import { isDirectory } from "../host.ts";
import { nearMisses } from "../near-misses.ts";
import { listLayouts } from "./xkb-layouts.ts";

/** Where kbd (Fedora, Arch, SUSE, Alpine) and console-data (Debian) keep theirs. */
const DIRECTORIES = ["/usr/share/keymaps", "/usr/share/kbd/keymaps", "/usr/lib/kbd/keymaps", "/lib/kbd/keymaps"];
/** Parts of others, and keyboards that do not fit any machine this boots. */
const OTHER_DIRECTORIES = /\/(include|amiga|atari|mac|sun)\//;
const KEYMAP_FILE = /^(.+)\.k?map(\.gz|\.bz2|\.xz|\.zst)?$/;

/** Puts keymaps into the tree, converted by this host's loadkeys(1) from its console keymaps, or its XKB layouts by ckbcomp(1). Throws BootError. */
export function addKeymaps(tree: ImageTree, names: readonly string[]): void {
  for (const name of new Set(names)) {
    const content = contentOfBytes(convertKeymap(name));
    putEntry(tree, { kind: "file", path: `${KEYMAP_DIRECTORY}/${name}${KEYMAP_ENDING}`, mode: 0o644, content });
  }
}

/** A keymap by its name, as "de-latin1", or an XKB layout with or without a variant, as "de" or "de-nodeadkeys"; as `parseKeymap` reads it. Throws BootError. */
export function convertKeymap(name: string, directories: readonly string[] = DIRECTORIES): Uint8Array {
  const files = findKeymaps(directories);
  const layouts = listLayouts();
  const file = files.get(name);
  const layout = layouts.get(name);
  if (file === undefined && layout === undefined) throw unknownKeymap(name, [...files.keys(), ...layouts.keys()]);
  const source = file === undefined && layout !== undefined ? runTool("ckbcomp", ["-compact", ...layout], name) : null;
  const bytes = runTool("loadkeys", ["-b", "-u", file ?? "-"], name, source);
  try {
    parseKeymap(bytes);
  } catch (cause) {
    throw new BootError(`loadkeys made no keymap of ${name}`, { cause });
  }
  return bytes;
}

function unknownKeymap(name: string, known: readonly string[]): BootError {
  const missing =
    "install kbd and console-data, or console-setup (Debian), or kbd (elsewhere): this host has no keymaps";
  return new BootError(`there is no keymap "${name}" on this host`, {
    seen: nearMisses(name, known),
    hint:
      known.length === 0
        ? missing
        : "it is the name of a console keymap (de-latin1) or of an XKB layout, with a variant or without (de-nodeadkeys)",
  });
}

/** Files by name; of several the first. */
function findKeymaps(directories: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const directory of directories.filter(isDirectory)) {
    for (const path of readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
      const name = KEYMAP_FILE.exec(basename(path))?.[1];
      if (name !== undefined && !OTHER_DIRECTORIES.test(`/${path}`) && !found.has(name)) {
        found.set(name, join(directory, path));
      }
    }
  }
  return found;
}

/** Debian's package of each. */
const PACKAGES = { loadkeys: "kbd", ckbcomp: "console-setup" } as const;

/** A keymap with all its tables has some ten KiB, in loadkeys' own language a few hundred. */
const OUTPUT_MAX_BYTES = 16 << 20;

function runTool(
  tool: keyof typeof PACKAGES,
  words: readonly string[],
  name: string,
  stdin: Uint8Array | null = null,
): Uint8Array {
  const path = Bun.which(tool, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin` });
  if (path === null) {
    throw new BootError(`cannot convert the keymap ${name} without ${tool}`, {
      hint: `install the package ${PACKAGES[tool]} on this host`,
    });
  }
  const { exitCode, stdout, stderr } = Bun.spawnSync([path, ...words], { stdin, maxBuffer: OUTPUT_MAX_BYTES });
  if (exitCode === 0) return stdout;
  throw new BootError(`${tool} could not convert the keymap ${name}`, {
    seen: stderr.toString().trim().split("\n").slice(0, 5),
  });
}
