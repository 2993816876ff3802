import { resolve } from "node:path";
import schema from "../../../docs/levain-toml.schema.json" with { type: "json" };
import { suggest } from "../../parameters/near-misses.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { argument, type CommandWords, command, flag, UsageError } from "../command-line.ts";
import { readConfig } from "../config/config.ts";
import { formatConfig, listConfigKeys } from "../config/config-keys.ts";
import { writeLine } from "../standard-output.ts";
import { imageCommand } from "./image.ts";

/** What an action prints, and its status if not 0. */
type Answer = readonly [text: string, status?: number];

/** What `levain config` can do with a levain.toml. */
const ACTIONS: Readonly<Record<string, (line: CommandWords, file: string) => Answer>> = {
  check: (line, file) => {
    if (line.has("json")) {
      const mistakes = listMistakes(file);
      return [JSON.stringify({ file, mistakes }, null, 2), mistakes.length > 0 ? 1 : 0];
    }
    readConfig(resolve(file));
    return [`${printable(file)}: no mistakes`];
  },
  show: (line, file) => {
    const config = readConfig(resolve(file));
    if (line.has("json")) return [JSON.stringify(config, null, 2)];
    return [formatConfig(config, listConfigKeys(imageCommand.args)).join("\n")];
  },
  schema: () => [JSON.stringify(schema, null, 2)],
};

/** Throws BootError for a file that cannot be read. */
function listMistakes(file: string): readonly string[] {
  try {
    readConfig(resolve(file));
    return [];
  } catch (error) {
    if (error instanceof BootError && error.seen.length > 0) return error.seen;
    throw error;
  }
}

/** `levain config`. */
export const configCommand = command({
  name: "config",
  description: "Check a levain.toml, or show what it sets",
  args: {
    action: argument("check, show, or schema: the JSON schema, with which editors complete its keys"),
    file: argument("The file (default: levain.toml)", false),
    json: flag("Print JSON"),
  },
  examples: {
    "levain config check": "Report every mistake of levain.toml with its line; status 1 if there are any",
    "levain config show /etc/levain.toml": "Show its keys, and the defaults of those that it does not set",
    "levain config schema > levain-toml.schema.json": "Write the schema for an editor",
  },
  run: (line) => {
    const [name = "", file = "levain.toml"] = line.words;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) {
      const near = suggest(name, Object.keys(ACTIONS));
      throw new UsageError(name === "" ? "check, show or schema?" : `Unknown action '${name}'${near}`);
    }
    const [text, status = 0] = action(line, file);
    writeLine(text);
    return status;
  },
});
