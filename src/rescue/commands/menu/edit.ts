import { readText } from "../../../machine/small-files.ts";
import { parseCommandLine } from "../../../parameters/cmdline.ts";
import { beforeSecret, hideSecret } from "../../../parameters/secrets.ts";
import { readKept } from "../../shell.ts";
import { keepParameters } from "../retry.ts";
import { choose } from "./choose.ts";
import { attempt, type MenuEnd, type MenuTools } from "./tools.ts";

/** Changes parameters of the command line for this boot, one at a time: a line that is longer than its terminal cannot be edited without cursor keys. */
export function editParameters(tools: MenuTools): MenuEnd | null {
  const { machine, screen } = tools;
  for (;;) {
    const words = listWords(tools);
    const numbers = words.map((word, index) => ({ key: `${index + 1}`, text: hideSecret(word) }));
    screen.show(numbers.map(({ key, text }) => `${key.padStart(2)} ${text}`));
    const more = [
      { key: "a", text: "add" },
      { key: "r", text: "retry" },
    ];
    const key = choose(screen, "number: change, a: add, r: retry> ", [...numbers, ...more]);
    if (key === null) return null;
    if (key === "r") return "retry";
    const before = quote(words[Number(key) - 1] ?? "");
    const typed = screen.ask("parameter> ", { before });
    if (typed === null || typed === "" || typed === before) continue;
    attempt(tools, () => keepParameters(machine, splitTyped(typed)));
  }
}

/** Those that the next retry will use: of one that is overridden, the last. */
function listWords({ machine }: MenuTools): readonly string[] {
  const given = splitTyped(readText(machine, "/proc/cmdline"));
  return [...given, ...readKept(machine)];
}

/** A password is not shown, and has to be typed again. */
function quote(word: string): string {
  const shown = beforeSecret(word) ?? word;
  return /\s/.test(shown) ? `"${shown}"` : shown;
}

/** Reads quotes as the kernel does. */
function splitTyped(text: string): readonly string[] {
  return parseCommandLine(text).words.map(({ text: word }) => word);
}
