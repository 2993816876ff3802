import { UNSUPPORTED } from "../src/parameters/dialects/unsupported.ts";
import type { Alias, Parameter } from "../src/parameters/parameter.ts";
import { PARAMETER_GROUPS } from "../src/parameters/parameters.ts";

const HEAD = `# Kernel command line parameters

<!-- Generated from the table in src/parameters by \`bun build/docs.ts\`. Do not edit. -->

- The quoting is the kernel's: double quotes keep spaces, also inside a parameter (\`root="LABEL=My Disk"\`); there are no escapes.
  Outside quotes, white space separates parameters, and so does the byte 0xA0 (as in the kernel), which is part of some UTF-8 letters such as "à":
  quote values with such letters.
- \`-\` and \`_\` in names are equal. If a parameter with one value is given several times, or under several names, the last value counts; lists are joined.
- The command line overrides the parameters in \`levain.toml\`, and those of \`levain retry\` override both.
  The exception is \`rdshell=0\`: given once, anywhere, it applies.
- Everything after \`--\` goes to init. So do parameters without a dot that neither the kernel nor levain knows: bare names as arguments,
  \`NAME=value\` as environment, exactly as the kernel passes them to process 1.
- \`MODULE.PARAMETER=VALUE\` is passed to the module when it is loaded.
- A mistake in one of these parameters stops the boot before its first step, and all mistakes are reported together. Parameters that are not
  on this page are ignored.
- Yes is \`1\`, \`y\`, \`yes\`, \`on\` or \`true\`; no is \`0\`, \`n\`, \`no\`, \`off\` or \`false\`. The bare name means yes.
`;

/** Formats docs/parameters.md from the table of parameters. */
export function formatParametersPage(): string {
  const parts = PARAMETER_GROUPS.map(({ title, rows }) => `## ${title}\n\n${rows.map(formatRow).join("\n")}`);
  return `${HEAD}\n${parts.join("\n")}\n${formatUnsupported()}`;
}

function formatRow(row: Parameter): string {
  const aliases = row.aliases.length === 0 ? "" : `- also: ${row.aliases.map(formatAlias).join(", ")}\n`;
  return `### \`${row.syntax}\`\n\n${row.text}\n\n- default: ${row.fallback}\n${aliases}- example: \`${row.example}\`\n`;
}

function formatAlias({ syntax }: Alias): string {
  return `\`${syntax}\``;
}

function formatUnsupported(): string {
  const { ignored, refused, refusedLive, refusedArchiso, refusedRootless } = UNSUPPORTED;
  const join = (table: readonly { readonly name: string }[]) =>
    [...new Set(table.map(({ name }) => `\`${name}${name.endsWith(".") ? "*" : ""}\``))].join(", ");
  return `## Known, but not supported yet

A boot may depend on these, so a warning says what the boot lacks without them:
${join(ignored)}.

These stop the boot, because it would differ from what they ask for: ${join(refused)};
with \`boot=live\`: ${join(refusedLive)}; with \`archiso…=\`: ${join(refusedArchiso)};
without a root device: ${join(refusedRootless)}.
`;
}

if (import.meta.main) await Bun.write(new URL("../docs/parameters.md", import.meta.url), formatParametersPage());
