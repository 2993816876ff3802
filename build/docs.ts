import { UNSUPPORTED } from "../src/parameters/dialects/unsupported.ts";
import type { Parameter } from "../src/parameters/parameter.ts";
import { PARAMETER_GROUPS } from "../src/parameters/parameters.ts";

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
`;

/** Returns docs/parameters.md, from the tables of parameters. */
export function formatParametersPage(): string {
  const parts = PARAMETER_GROUPS.map(({ title, rows }) => `## ${title}\n\n${rows.map(formatRow).join("\n")}`);
  return `${HEAD}\n${parts.join("\n")}\n${formatUnsupported()}`;
}

function formatRow(row: Parameter): string {
  const aliases =
    row.aliases.length === 0 ? "" : `- also: ${row.aliases.map(({ syntax }) => `\`${syntax}\``).join(", ")}\n`;
  return `### \`${row.syntax}\`\n\n${row.text}\n\n- default: ${row.fallback}\n${aliases}- example: \`${row.example}\`\n`;
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

if (import.meta.main) await Bun.write(new URL("../docs/parameters.md", import.meta.url), formatParametersPage());
