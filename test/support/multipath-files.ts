import { readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { guestPrograms } from "./guest-programs.ts";
import { TEST_PROGRAMS } from "./test-programs.ts";

const PLUGINS = "/lib/multipath";
const CONFIGURATION = "defaults {\n  user_friendly_names yes\n  find_multipaths yes\n}\n";

/** What an image needs for multipath(8), for `levainImage`: the program, its plugins, and a configuration that combines all paths. */
export async function multipathFiles(): Promise<Readonly<Record<string, string>>> {
  const plugins = readdirSync(join(TEST_PROGRAMS, "root", PLUGINS)).map((name) => `${PLUGINS}/${name}`);
  const entries = Object.entries(await guestPrograms("/sbin/multipath", ...plugins));
  const configuration = join(scratchDirectory(), "multipath.conf");
  writeFileSync(configuration, CONFIGURATION);
  const files = entries.flatMap(([path, entry]) => ("file" in entry ? [[path, realpathSync(entry.file)]] : []));
  return { ...Object.fromEntries(files), "/etc/multipath.conf": configuration };
}
