import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { KEYMAP_DIRECTORY, KEYMAP_ENDING, parseKeymap } from "../../formats/keymap.ts";
import { nearMisses } from "../../parameters/near-misses.ts";
import { BootError } from "../../problems/errors.ts";
import { contentOfBytes } from "../archive/content.ts";
import { type ImageTree, putEntry } from "../archive/tree.ts";
import { isDirectory, isFile } from "../host.ts";
import { runTool } from "../tool.ts";

/** The directories of kbd (Fedora, Arch, SUSE, Alpine) and console-data (Debian). */
const DIRECTORIES = ["/usr/share/keymaps", "/usr/share/kbd/keymaps", "/usr/lib/kbd/keymaps", "/lib/kbd/keymaps"];
const LAYOUT_LIST = "/usr/share/X11/xkb/rules/base.lst";
/** Parts of other keymaps, and keyboards of machines that levain does not boot. */
const OTHER_DIRECTORIES = /\/(include|amiga|atari|mac|sun)\//;
const KEYMAP_FILE = /^(.+)\.k?map(\.gz|\.bz2|\.xz|\.zst)?$/;

/** A keymap in the form of an image. */
export interface ConvertedKeymap {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Adds keymaps, `known` and others, converted by loadkeys(1) from this host's console keymaps, or by ckbcomp(1) from its XKB layouts. Throws BootError. */
export function addKeymaps(tree: ImageTree, names: readonly string[], known: ConvertedKeymap | null = null): void {
  for (const name of new Set(names)) {
    const content = contentOfBytes(known?.name === name ? known.bytes : convertKeymap(name));
    putEntry(tree, { kind: "file", path: `${KEYMAP_DIRECTORY}/${name}${KEYMAP_ENDING}`, mode: 0o644, content });
  }
}

/** Converts a console keymap ("de-latin1") or an XKB layout ("de", "de-nodeadkeys") for `parseKeymap`. Throws BootError. */
export function convertKeymap(name: string, directories: readonly string[] = DIRECTORIES): Uint8Array {
  const files = findKeymaps(directories);
  const layouts = isFile(LAYOUT_LIST) ? parseLayouts(readFileSync(LAYOUT_LIST, "utf8")) : new Map<string, string[]>();
  const file = files.get(name);
  const layout = layouts.get(name);
  if (file === undefined && layout === undefined) throw unknownKeymap(name, [...files.keys(), ...layouts.keys()]);
  const useLayout = file === undefined && layout !== undefined;
  const source = useLayout ? convert("ckbcomp", ["-compact", ...layout], name, null) : null;
  const bytes = convert("loadkeys", ["-b", "-u", file ?? "-"], name, source);
  try {
    parseKeymap(bytes);
  } catch (cause) {
    throw new BootError(`loadkeys did not output a keymap for ${name}`, { cause });
  }
  return bytes;
}

function unknownKeymap(name: string, known: readonly string[]): BootError {
  const hint =
    known.length === 0
      ? "install keymaps: kbd and console-data, or console-setup (Debian), or kbd (elsewhere)"
      : "use the name of a console keymap (de-latin1) or of an XKB layout (de) with or without a variant (de-nodeadkeys)";
  return new BootError(`this host has no keymap "${name}"`, { seen: nearMisses(name, known), hint });
}

/** Returns the first file of each name. */
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

/** A keymap with all its tables has about ten KiB, its source for loadkeys a few hundred. */
const OUTPUT_MAX_BYTES = 16 << 20;

function convert(tool: "loadkeys" | "ckbcomp", args: readonly string[], name: string, stdin: Uint8Array | null) {
  const { status, stdout, complaint } = runTool(tool, `convert the keymap ${name}`, args, stdin, OUTPUT_MAX_BYTES);
  if (status === 0) return stdout;
  throw new BootError(`${tool} cannot convert the keymap ${name}`, { seen: complaint });
}

/** Parses a rules list (xkeyboard-config(7)): sections of lines "name  description", where a variant's description begins with "layout: ". */
export function parseLayouts(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  let section = "";
  for (const line of text.split("\n")) {
    section = /^! (\w+)/.exec(line)?.[1] ?? section;
    const [, name = "", rest = ""] = /^ {2}(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name === "") continue;
    if (section === "layout") found.set(name, ["-layout", name]);
    const layout = /^(\S+): /.exec(rest)?.[1];
    if (section === "variant" && layout !== undefined) {
      found.set(`${layout}-${name}`, ["-layout", layout, "-variant", name]);
    }
  }
  return found;
}
