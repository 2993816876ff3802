import type { ArgsDef } from "citty";
import { CONFIG_KEYS, type ImageConfig } from "./config.ts";

/** What the keys mean that no option of `levain image` sets. */
const OWN: Readonly<Record<string, string>> = {
  parameters: "Kernel parameters in the image, which the kernel command line overrides (default: none)",
  "shell-password": "The hash of the password that the rescue shell asks for, by Argon2id (default: no password)",
  uki: "Make a unified kernel image: its kernel, command line and more (default: an initramfs)",
  machine: "More parameters for single machines: [machine.ID], by MAC address, serial number or UUID (default: none)",
};

/** A key of levain.toml. */
export interface ConfigKey {
  readonly name: string;
  /** Without its default. */
  readonly text: string;
  readonly fallback: string;
}

/** Returns the keys of levain.toml in their order, explained as the options of `levain image`, `options`, that set the same. */
export function listConfigKeys(options: ArgsDef): readonly ConfigKey[] {
  return CONFIG_KEYS.map((name) => {
    const option = options[name] ?? options[name.replace(/s$/, "")];
    const described = OWN[name] ?? option?.description ?? "";
    const [whole = "", fallback = option?.type === "boolean" ? "false" : "none"] =
      /\s*\(default: (.*)\)$/.exec(described) ?? [];
    const text = described.slice(0, described.length - whole.length).replace(/; repeatable(?=,|$)/, "");
    return { name, text, fallback };
  });
}

/** Writes a configuration as TOML, with every key that is not set as a comment. */
export function formatConfig(config: ImageConfig, keys: readonly ConfigKey[]): readonly string[] {
  const values: Readonly<Record<string, unknown>> = config;
  const width = Math.max(...keys.map(({ name }) => name.length));
  const isUnset = (value: unknown) => value === undefined || value === false || isEmpty(value);
  const [set, unset] = [
    keys.filter(({ name }) => !isUnset(values[name])),
    keys.filter(({ name }) => isUnset(values[name])),
  ];
  return [
    ...unset.map(({ name, fallback }) => `# ${name}: ${fallback}`),
    ...set
      .filter(({ name }) => !isTable(values[name]))
      .map(({ name }) => `${name.padEnd(width)} = ${quote(values[name])}`),
    // In TOML, what follows a table belongs to it.
    ...set.flatMap(({ name }) => formatTable(name, values[name])),
  ];
}

function formatTable(name: string, value: unknown): readonly string[] {
  if (!isTable(value)) return [];
  const entries = Object.entries(value);
  const own = entries.filter(([, each]) => !isTable(each)).map(([key, each]) => `${key} = ${quote(each)}`);
  return [
    ...(own.length === 0 ? [] : ["", `[${name}]`, ...own]),
    ...entries.flatMap(([key, each]) => formatTable(`${name}.${quote(key)}`, each)),
  ];
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** TOML's basic strings have the escapes of JSON; DEL needs one, too. */
const quote = (value: unknown) => JSON.stringify(value).replaceAll("\u007f", "\\u007f").replaceAll('","', '", "');
