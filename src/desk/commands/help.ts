import { defineCommand } from "citty";
import { describeParameters } from "../../parameters/describe-parameters.ts";
import { readCommandLine, UsageError } from "../command-line.ts";

const args = {
  topic: { type: "positional", required: false, description: "parameters, or the name of a command" },
} as const;

/** `levain help parameters`: the table of the kernel command line's parameters. `levain help COMMAND` is the dispatcher's. */
export const helpCommand = defineCommand({
  meta: { name: "help", description: "Explain a command, or the parameters of the kernel command line" },
  args,
  run: ({ rawArgs }) => {
    const { words } = readCommandLine(rawArgs, args);
    if (words.length !== 1 || words[0] !== "parameters") {
      throw new UsageError(`Expected 'parameters' or a command but received '${words.join(" ")}'`);
    }
    console.log(describeParameters());
    return 0;
  },
});
