import { readFileSync } from "node:fs";
import { join } from "node:path";

const PAGE = join(import.meta.dir, "../../../docs/network.md");

/** Returns the block of docs/network.md that begins with `start`. Throws if there is none. */
export function recipe(start: string): string {
  const blocks = [...readFileSync(PAGE, "utf8").matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
  const found = blocks.find((text) => text.startsWith(start));
  if (found === undefined) throw new Error(`docs/network.md has no recipe that begins with ${start}`);
  return found;
}
