import { toJsonSchema } from "@valibot/to-json-schema";
import { imageCommand } from "../src/desk/commands/image.ts";
import { CONFIG_SCHEMA } from "../src/desk/config/config.ts";
import { listConfigKeys } from "../src/desk/config/config-keys.ts";
import { listColumns } from "../src/desk/drawing/stack-columns.ts";
import { drawStack } from "../src/desk/drawing/stack-svg.ts";
import { UNSUPPORTED } from "../src/parameters/dialects/unsupported.ts";
import type { Parameter } from "../src/parameters/parameter.ts";
import { PARAMETER_GROUPS } from "../src/parameters/parameters.ts";
import { makePlan } from "../src/plan/make-plan.ts";
import { formatErrorsPage } from "./errors/page.ts";

const HEAD = `# Kernel command line parameters

<!-- Made from the tables in src/parameters by build/docs.ts: \`make docs\`. Do not edit. -->

- Quoting is the kernel's: double quotes keep spaces, also in the middle of a parameter (\`root="LABEL=My Disk"\`); there are no
  escapes. Outside quotes, white space separates parameters, and so does the byte 0xA0 (as in the kernel), which is part of
  some UTF-8 letters, for example "à": quote such a value.
- \`-\` and \`_\` in names are equal. If a parameter with one value occurs more than once, the last one counts, its other
  spellings included; lists are joined.
- The command line overrides parameters of \`levain.toml\`, and parameters of \`levain retry\` override both. The exception is
  \`rdshell=0\`: given once, anywhere, it is final.
- init gets everything after \`--\`. As with the kernel, it also gets parameters without a dot that neither the kernel nor
  levain knows: those without a value as arguments, \`NAME=value\` as environment.
- \`MODULE.PARAMETER=VALUE\` is passed to the module when it is loaded.
- A mistake in one of these parameters stops the boot before it begins, and all mistakes are reported together. levain
  ignores parameters that are not in these tables; if one looks like a misspelled parameter, it warns with the nearest one.
- Yes is \`1\`, \`y\`, \`yes\`, \`on\` or \`true\`; no is \`0\`, \`n\`, \`no\`, \`off\` or \`false\`. The name alone means yes.
- Without the parameter, its default counts. Where none is named, nothing happens.
`;

export function formatParametersPage(): string {
  const parts = PARAMETER_GROUPS.map(({ title, rows }) => `## ${title}\n\n${rows.map(formatRow).join("\n")}`);
  return `${HEAD}\n${parts.join("\n")}\n${formatUnsupported()}`;
}

function formatRow(row: Parameter): string {
  const aliases =
    row.aliases.length === 0 ? "" : `- also: ${row.aliases.map(({ syntax }) => `\`${syntax}\``).join(", ")}\n`;
  const fallback = row.fallback === null ? "" : `- default: ${row.fallback}\n`;
  return `### \`${row.syntax}\`\n\n${row.text}\n\n${fallback}${aliases}- example: \`${row.example}\`\n`;
}

function formatUnsupported(): string {
  const { ignored, refused, refusedLive, refusedCasper, refusedArchiso, refusedRootless } = UNSUPPORTED;
  const join = (table: readonly { readonly name: string }[]) =>
    [...new Set(table.map(({ name }) => `\`${name}${name.endsWith(".") ? "*" : ""}\``))].join(", ");
  return `## Known, but not supported yet

A boot may depend on these, so a warning names what is missing:
${join(ignored)}.

levain refuses to boot with these, because the result would be another boot than the one you asked for: ${join(refused)};
with \`boot=live\`: ${join(refusedLive)}; with \`boot=casper\`: ${join(refusedCasper)}; with \`archiso…=\`: ${join(refusedArchiso)};
without a root device: ${join(refusedRootless)}.
`;
}

/** Returns the JSON schema of levain.toml, its keys explained as in `levain image --help`. */
export function makeConfigSchema() {
  // What cannot be said in JSON schema, such as whether a parameter exists, only `levain config check` tells.
  const { properties = {}, ...schema } = toJsonSchema(CONFIG_SCHEMA, { typeMode: "input", errorMode: "ignore" });
  const described = listConfigKeys(imageCommand.args).map(({ name, text, fallback }) => {
    const property = properties[name];
    return [name, { description: `${text} (default: ${fallback})`, ...(typeof property === "object" && property) }];
  });
  return { ...schema, title: "levain.toml", properties: Object.fromEntries(described) };
}

/** A drawing of docs/layers.md, by the path of its file below docs/. */
export interface Drawing {
  readonly file: string;
  readonly svg: string;
}

/** Returns the drawings of a page: of each command line in its blocks `sh stack=NAME`, as the command in the block draws it. */
export function drawStacks(page: string): readonly Drawing[] {
  return [...page.matchAll(/^```sh stack=(\S+)\n([\s\S]*?)^```$/gm)].map(([, name = "", text = ""]) => {
    const cmdline = /^levain plan --svg '([^']*)' > (\S+)\.svg\n$/.exec(text);
    if (cmdline === null || cmdline[2] !== name)
      throw new Error(`the block ${name} is no command that draws ${name}.svg`);
    const { plan } = makePlan({ cmdline: cmdline[1] ?? "", manifest: null });
    return { file: `stacks/${name}.svg`, svg: drawStack(listColumns(plan)) };
  });
}

if (import.meta.main) {
  const docs = new URL("../docs/", import.meta.url);
  await Bun.write(new URL("parameters.md", docs), formatParametersPage());
  await Bun.write(new URL("errors.md", docs), formatErrorsPage());
  await Bun.write(new URL("levain-toml.schema.json", docs), `${JSON.stringify(makeConfigSchema(), null, 2)}\n`);
  const page = await Bun.file(new URL("layers.md", docs)).text();
  for (const { file, svg } of drawStacks(page)) await Bun.write(new URL(file, docs), svg);
}
