// The fenced blocks of docs/recipes.md and docs/layers.md that tests use. What follows the language of a fence says what for:
// `run=NAME` (a part of the recipe NAME), `file=NAME` (a file that recipes use), `packages` (an apt-get line with what the recipes
// below it need), `stack=NAME` (a command that draws docs/stacks/NAME.svg).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GUEST_WORDS } from "../guest-words.ts";

const DOCS = join(import.meta.dir, "../../../docs");
export const RECIPES_PAGE = join(DOCS, "recipes.md");
/** The page about stacks. */
export const LAYERS_PAGE = join(DOCS, "layers.md");

/** A fenced block with its marker. */
export interface RecipeBlock {
  readonly kind: "run" | "file" | "packages" | "stack";
  /** Of the recipe or file; empty for packages. */
  readonly name: string;
  readonly text: string;
}

/** Returns the blocks of a page that have a marker, in their order. Throws Error for a marker that it does not know. */
export function recipeBlocks(page = readFileSync(RECIPES_PAGE, "utf8")): readonly RecipeBlock[] {
  return [...page.matchAll(/^```(\w+) (.+)\n([\s\S]*?)^```$/gm)].map(([, language, marker = "", text = ""]) => {
    const [, kind, name = ""] = /^(run|file|packages|stack)(?:=(\S+))?$/.exec(marker) ?? [];
    if (kind !== "run" && kind !== "file" && kind !== "packages" && kind !== "stack")
      throw new Error(`docs/recipes.md: a block "${language} ${marker}" says nothing to a test`);
    return { kind, name, text };
  });
}

export function recipeNames(): readonly string[] {
  return [...new Set(recipeBlocks().flatMap(({ kind, name }) => (kind === "run" ? [name] : [])))];
}

/** Returns the commands of a recipe, all of its blocks. */
export function recipeScript(recipe: string, page = RECIPES_PAGE): string {
  const blocks = recipeBlocks(readFileSync(page, "utf8")).filter(({ kind, name }) => kind === "run" && name === recipe);
  if (blocks.length === 0) throw new Error(`the page has no recipe "${recipe}"`);
  return blocks.map(({ text }) => text).join("\n");
}

/** Returns the text of a file that recipes use. */
export function recipeFile(file: string, page = RECIPES_PAGE): string {
  const block = recipeBlocks(readFileSync(page, "utf8")).find(({ kind, name }) => kind === "file" && name === file);
  if (block === undefined) throw new Error(`the page has no file "${file}"`);
  return block.text;
}

/** Returns the packages that the recipes say they need. */
export function recipePackages(): readonly string[] {
  const lines = recipeBlocks().flatMap(({ kind, text }) => (kind === "packages" ? [text.trim()] : []));
  const packages = lines.flatMap((line) => /^apt-get install (.+)$/.exec(line)?.[1]?.split(" ") ?? []);
  return [...new Set(packages)].sort();
}

/** Returns the kernel command lines of a boot loader's entries, for GRUB, systemd-boot and syslinux. */
export function commandLines(entries: string): readonly string[] {
  return [...entries.matchAll(/^ *(?:options|APPEND|linux +\S+) +(.+)$/gm)].map(([, line = ""]) => line);
}

/** Returns boot loader entries, or a script that writes them, for a guest, whose console is a serial line. */
export function forGuest(text: string): string {
  return text.replaceAll(/(?<= )root=(?=\S*LABEL)/g, `${GUEST_WORDS} root=`);
}
