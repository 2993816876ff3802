import { homedir } from "node:os";
import { join } from "node:path";

/** Returns a directory below the cache of builds and tests: `$LEVAIN_CACHE`, `$XDG_CACHE_HOME/levain` or `~/.cache/levain`. */
export function cachePath(...names: readonly string[]): string {
  const root =
    process.env["LEVAIN_CACHE"] || join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "levain");
  return join(root, ...names);
}
