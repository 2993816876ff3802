import type { Screen } from "./screen.ts";

/** One of the things to choose from. */
export interface Choice {
  /** What is typed for it. */
  readonly key: string;
  readonly text: string;
}

/** Shows choices by number and asks for one; returns its place in the list, or null to go back. */
export function chooseNumber(screen: Screen, texts: readonly string[]): number | null {
  const choices = texts.map((text, index) => ({ key: `${index + 1}`, text }));
  screen.show(choices.map(({ key, text }) => `${key.padStart(2)} ${text}`));
  const key = choose(screen, "number, or Enter to go back> ", choices);
  return key === null ? null : Number(key) - 1;
}

/** Asks until one of the keys is typed; null for an empty line or Ctrl-C. */
export function choose(screen: Screen, prompt: string, choices: readonly Choice[]): string | null {
  const keys = choices.map(({ key }) => key);
  for (;;) {
    const typed = screen.ask(prompt, { choices: keys })?.toLowerCase() ?? "";
    if (typed === "") return null;
    if (keys.includes(typed)) return typed;
    screen.show([`"${typed}" is not in the list`]);
  }
}
