import { resolve } from "node:path";
import schema from "../../../docs/levain-toml.schema.json" with { type: "json" };
import { suggest } from "../../parameters/near-misses.ts";
import { printable } from "../../problems/report.ts";
import { argument, type CommandWords, command, flag, UsageError } from "../command-line.ts";
import { readConfig } from "../config/config.ts";
import { formatConfig, listConfigKeys } from "../config/config-keys.ts";
import { writeLine } from "../standard-output.ts";
import { imageCommand } from "./image.ts";

/** What `levain config` can do with a levain.toml. */
const ACTIONS: Readonly<Record<string, (line: CommandWords, file: string) => string>> = {
  check: (_line, file) => {
    readConfig(resolve(file));
    return `${printable(file)}: no mistakes`;
  },
  show: (line, file) => {
    const config = readConfig(resolve(file));
    if (line.has("json")) return JSON.stringify(config, null, 2);
    return formatConfig(config, listConfigKeys(imageCommand.args)).join("\n");
  },
  schema: () => JSON.stringify(schema, null, 2),
};

/** `levain config`. */
export const configCommand = command({
  name: "config",
  description: "Check a levain.toml, or show what it sets",
  args: {
    action: argument("check, show, or schema: the JSON schema, with which editors complete its keys"),
    file: argument("The file (default: levain.toml)", false),
    json: flag("Show it as JSON"),
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
    writeLine(action(line, file));
    return 0;
  },
});
