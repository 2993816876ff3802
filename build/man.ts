// Writes the manual pages into dist/man/, from the tables that the help texts come from.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ArgsDef } from "citty";
import packageJson from "../package.json" with { type: "json" };
import { COMMANDS, LEVAIN_OPTIONS } from "../src/desk/all-commands.ts";
import type { Command } from "../src/desk/command-line.ts";
import { imageCommand } from "../src/desk/commands/image.ts";
import { listConfigKeys } from "../src/desk/config/config-keys.ts";
import type { Parameter } from "../src/parameters/parameter.ts";
import { PARAMETER_GROUPS } from "../src/parameters/parameters.ts";

/** A manual page: its place below man/, as "man1/levain.1", and its source. */
export interface ManualPage {
  readonly path: string;
  readonly source: string;
}

/** Escapes text for roff: no request at the start of a line, no escape sequence, hyphens that can be copied. */
const roff = (text: string) =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^(?=[.'])/gm, "\\&");
/** An argument of a macro. */
const quoted = (text: string) => `"${roff(text).replaceAll('"', "\\(dq")}"`;
const section = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : [`.SH ${quoted(title)}`, ...lines];
const item = (head: string, text: string) => [".TP", `.B ${quoted(head)}`, roff(text)];

function page(name: string, number: number, text: string, body: readonly string[]): ManualPage {
  const title = `.TH ${quoted(name.toUpperCase())} ${number} "" ${quoted(`levain ${packageJson.version}`)} "levain"`;
  const lines = [title, ...section("NAME", [`${roff(name)} \\- ${roff(text)}`]), ...body];
  return { path: `man${number}/${name}.${number}`, source: `${lines.join("\n")}\n` };
}

/** Returns a page for each command, one for all of them, one for levain.toml and one for the parameters of the kernel command line. */
export function listManualPages(): readonly ManualPage[] {
  const commands = Object.entries(COMMANDS);
  const all = page("levain", 1, packageJson.description, [
    ...section("SYNOPSIS", [".B levain", roff("COMMAND [OPTION]... [ARGUMENT]...")]),
    ...section("DESCRIPTION", [
      roff(
        "levain is the init of an initramfs image, and the program that builds such images. These are its commands:",
      ),
      ...commands.flatMap(([name, command]) => item(name, describe(command))),
    ]),
    ...optionSection(LEVAIN_OPTIONS),
    ...seeAlso([...commands.map(([name]) => `levain-${name}(1)`), "levain.toml(5)", "levain-parameters(7)"]),
  ]);
  return [all, ...commands.map(([name, command]) => commandPage(name, command)), configPage(), parametersPage()];
}

const describe = ({ meta }: Command) => (meta as { readonly description?: string }).description ?? "";

function commandPage(name: string, command: Command): ManualPage {
  const definitions = Object.entries((command.args ?? {}) as ArgsDef);
  const positionals = definitions.filter(([, { type }]) => type === "positional");
  const hasOptions = definitions.length > positionals.length;
  const words = positionals.map(([word, { required }]) => (required === false ? `[${word}]` : word).toUpperCase());
  const examples = Object.entries(command.examples ?? {});
  return page(`levain-${name}`, 1, describe(command), [
    ...section(
      "SYNOPSIS",
      [`.B ${quoted(`levain ${name}`)}`, roff([...(hasOptions ? ["[OPTION]..."] : []), ...words].join(" "))].filter(
        (line) => line !== "",
      ),
    ),
    ...section(
      "ARGUMENTS",
      positionals.flatMap(([word, { description = "" }]) => item(word.toUpperCase(), description)),
    ),
    ...optionSection(command.args as ArgsDef),
    ...section(
      "EXAMPLES",
      examples.flatMap(([line, what]) => item(line, what)),
    ),
    ...seeAlso(["levain(1)", "levain.toml(5)", "levain-parameters(7)"]),
  ]);
}

function optionSection(definitions: ArgsDef = {}): readonly string[] {
  const options = Object.entries(definitions).filter(([, { type }]) => type !== "positional");
  return section(
    "OPTIONS",
    options.flatMap(([word, definition]) => item(spell(word, definition), definition.description ?? "")),
  );
}

function spell(name: string, definition: ArgsDef[string]): string {
  const alias = "alias" in definition && typeof definition.alias === "string" ? `-${definition.alias}, ` : "";
  const hint = "valueHint" in definition && definition.valueHint !== undefined ? `=${definition.valueHint}` : "";
  return `${alias}--${name}${"isOptional" in definition ? `[${hint}]` : hint}`;
}

function configPage(): ManualPage {
  const keys = listConfigKeys(imageCommand.args as ArgsDef);
  return page("levain.toml", 5, "what goes into an image of levain", [
    ...section("DESCRIPTION", [
      roff("A TOML file for levain image --config. Every key is optional; what may be given several times is a list."),
      ...keys.flatMap(({ name, text, fallback }) => item(name, `${text} (default: ${fallback})`)),
    ]),
    ...seeAlso(["levain-image(1)", "levain-config(1)", "levain-parameters(7)"]),
  ]);
}

function parametersPage(): ManualPage {
  const describeRow = ({ syntax, aliases, text, fallback, example }: Parameter) => [
    ...item(
      [syntax, ...aliases.map((alias) => alias.syntax)].join("  "),
      `${text}${fallback === null ? "" : ` Default: ${fallback}.`}`,
    ),
    ".br",
    roff(`Example: ${example}`),
  ];
  return page("levain-parameters", 7, "parameters of the kernel command line", [
    ...section("DESCRIPTION", [
      roff(
        "The parameters that levain reads as the init of an initramfs. - and _ in names are equal. Of several values, the last counts.",
      ),
    ]),
    ...PARAMETER_GROUPS.flatMap(({ title, rows }) => section(title, rows.flatMap(describeRow))),
    ...seeAlso(["levain(1)", "levain-plan(1)", "bootparam(7)"]),
  ]);
}

function seeAlso(pages: readonly string[]): readonly string[] {
  const references = pages.map((each) =>
    each.replace(/^(.*)\((\d)\)$/, (_, name, number) => `.BR ${quoted(name)} (${number})`),
  );
  return section(
    "SEE ALSO",
    references.map((line, index) => (index < references.length - 1 ? `${line} ,` : line)),
  );
}

if (import.meta.main) {
  const target = new URL("../dist/man/", import.meta.url).pathname;
  for (const { path, source } of listManualPages()) {
    mkdirSync(join(target, path, ".."), { recursive: true });
    await Bun.write(join(target, path), source);
  }
}
