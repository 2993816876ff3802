import { defineCommand } from "citty";
import { PARAMETER_ROWS } from "../../src/config/parameters.ts";
import { readCommandLine, UsageError } from "../command-line.ts";

const args = { topic: { type: "positional", required: false, description: "parameters" } } as const;

/** `levain help parameters`: the table of the kernel command line's parameters. */
export const helpCommand = defineCommand({
  meta: { name: "help", description: "Explain the parameters of the kernel command line" },
  args,
  run: ({ rawArgs }) => {
    const { words } = readCommandLine(rawArgs, args);
    if (words.length !== 1 || words[0] !== "parameters") {
      throw new UsageError(`Expected 'parameters' as the topic but received '${words.join(" ")}'`);
    }
    console.log(describeParameters().join("\n"));
    return 0;
  },
});

function describeParameters(): readonly string[] {
  return PARAMETER_ROWS.flatMap(([, row]) => [
    row.syntax,
    ...wrap(row.text),
    `    default: ${row.fallback}`,
    ...(row.aliases.length > 0 ? wrap(`also: ${row.aliases.map((alias) => alias.syntax).join(", ")}`) : []),
    "",
  ]);
}

function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length > 96) lines.push(`    ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
