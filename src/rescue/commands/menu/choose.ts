import type { Screen } from "./screen.ts";

/** One of the things to choose from. */
export interface Choice {
  /** What is typed for it. */
  readonly key: string;
  readonly text: string;
}

/** Shows items by number and asks for one; null to go back. */
export function chooseNumber<Item extends { readonly text: string }>(
  screen: Screen,
  items: readonly Item[],
): Item | null {
  const choices = items.map(({ text }, index) => ({ key: `${index + 1}`, text }));
  screen.show(choices.map(({ key, text }) => `${key.padStart(2)} ${text}`));
  const key = choose(screen, "number, or Enter to go back> ", choices);
  return items[Number(key ?? 0) - 1] ?? null;
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
