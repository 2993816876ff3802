import { describeParameters } from "../../parameters/parameters.ts";
import { argument, command, UsageError } from "../command-line.ts";

/** `levain help parameters`. `levain help COMMAND` is `levain COMMAND --help`, which runDesk answers. */
export const helpCommand = command({
  name: "help",
  description: "Explain a command, or the kernel command line parameters",
  args: {
    topic: argument("A command, or parameters (default: list the commands)", false),
  },
  examples: { "levain help image": "Same as levain image --help", "levain help parameters": "List every parameter" },
  run: ({ words }) => {
    if (words[0] !== "parameters") throw new UsageError(`Expected 'parameters' or a command, not '${words[0] ?? ""}'`);
    console.log(describeParameters());
    return 0;
  },
});
