import type { Alias, Parameter } from "../src/parameters/parameter.ts";
import { PARAMETER_GROUPS } from "../src/parameters/parameters.ts";
import { UNSUPPORTED_NAMES } from "../src/parameters/unsupported.ts";

const HEAD = `# Kernel command line parameters

<!-- Made from the table in src/config by build/docs.ts: \`bun build/docs.ts\`. Do not edit. -->

- Quoting is the kernel's: double quotes keep spaces, also in the middle of a word (\`root="LABEL=My Disk"\`); there are no escapes.
  Outside of quotes, white space separates words, and so does the byte 0xA0 (as in the kernel), which is part of some UTF-8 letters, "à" among them:
  quote such a value.
- \`-\` and \`_\` in names are equal. Of a parameter with one value the last counts, its other spellings included; lists are joined.
- Parameters of \`levain.toml\` come first, so the command line is stronger. Parameters after \`levain retry\` are stronger still.
  The exception is \`rdshell=0\`: given once, anywhere, it holds.
- Everything after \`--\` goes to init. So do words that neither the kernel nor levain knows and that have no dot: bare words as arguments,
  \`NAME=value\` words as environment, exactly as the kernel hands them to process 1.
- \`MODULE.PARAMETER=VALUE\` is passed to the module when it is loaded.
- A mistake in one of these parameters stops the boot before anything is done, and all mistakes are told at once. Parameters that are not
  in these tables are ignored.
- Yes is \`1\`, \`y\`, \`yes\`, \`on\` or \`true\`; no is \`0\`, \`n\`, \`no\`, \`off\` or \`false\`. The bare name is yes.
`;

/** docs/parameters.md, from the table of parameters. */
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
  const { ignored, refused, refusedLive, refusedArchiso, refusedRootless } = UNSUPPORTED_NAMES;
  const join = (names: readonly string[]) =>
    names.map((name) => `\`${name}${name.endsWith(".") ? "*" : ""}\``).join(", ");
  return `## Known, but not supported yet

A boot may depend on these, so they are not ignored in silence: a warning says what the boot goes without.
${join(ignored)}.

With these the boot is refused, because it would be another one than was asked for: ${join(refused)};
with \`boot=live\`: ${join(refusedLive)}; with \`archiso…=\`: ${join(refusedArchiso)};
without a root device: ${join(refusedRootless)}.
`;
}

if (import.meta.main) await Bun.write(new URL("../docs/parameters.md", import.meta.url), formatParametersPage());
