import type { Machine } from "../../../machine/machine.ts";
import type { TerminalSize } from "../../../machine/terminals.ts";
import { printable, wrapLine } from "../../../problems/report.ts";
import type { HeldTerminals } from "../../../prompt/held-terminals.ts";
import { createTypedLine } from "../../../prompt/typed-line.ts";
import { createEcho, readLine } from "./line.ts";

/** The size of what does not know its own, as a serial line. */
const USUAL = { columns: 80, rows: 24 };
/** The smallest that the menu is made for. */
const LEAST = { columns: 40, rows: 12 };

/** How a line is asked for. */
export interface Wish {
  /** What may be typed: arrow keys go from one to the next. */
  readonly choices?: readonly string[];
  /** What is there already, to be changed. */
  readonly before?: string;
}

/** All consoles as one: each shows the same, and a line may be typed on any of them. Text only goes down, as on a printer: no colours, no cursor movements but backspace. */
export interface Screen {
  /** The columns that a line may have, and the rows of a page. */
  size(): TerminalSize;
  /** Shows lines, wrapped; a page at a time. Text from elsewhere is made printable. */
  show(lines: readonly string[]): void;
  /** Begins a page. */
  begin(): void;
  /** Asks for a line; null after Ctrl-C. */
  ask(prompt: string, wish?: Wish): string | null;
  /** Gives the terminals back while `act` uses them. */
  aside<T>(act: () => T): T;
}

/** Creates it on these terminals. */
export function createScreen(machine: Machine, terminals: HeldTerminals): Screen {
  /** What a console that comes late has to show. */
  let page = "";
  let rowsShown = 0;
  const known = new Set<string>();

  function hold(): void {
    const nodes = terminals.hold();
    for (const node of known) if (!nodes.includes(node)) known.delete(node);
    for (const node of nodes.filter((one) => !known.has(one))) {
      known.add(node);
      machine.writeTerminal(node, page);
    }
  }
  function write(text: string): void {
    hold();
    page += text;
    for (const node of known) machine.writeTerminal(node, text);
  }
  function letGo(): void {
    terminals.release();
    known.clear();
    page = "";
  }
  function size() {
    hold();
    return sizeFor([...known].map((node) => machine.terminalSize(node) ?? USUAL));
  }
  function begin(): void {
    page = "";
    rowsShown = 0;
    write("\n");
  }
  function ask(prompt: string, { choices = [], before = "" }: Wish = {}): string | null {
    const typed = createTypedLine();
    write(prompt);
    const line = createEcho(typed, write);
    if (before !== "") line.type(new TextEncoder().encode(before), machine.nowMs());
    try {
      return readLine({ machine, terminals, known, hold }, line, choices);
    } finally {
      typed.wipe();
      write("\n");
      page = "";
      rowsShown = 0;
    }
  }
  return {
    size,
    begin,
    show(lines) {
      const { columns, rows } = size();
      for (const line of lines.flatMap((one) => wrap(one, columns))) {
        if (rowsShown >= rows - 1 && ask("Enter: more, q: enough> ") !== "") return;
        write(`${line}\n`);
        rowsShown += 1;
      }
    },
    ask,
    aside(act) {
      try {
        letGo();
        return act();
      } finally {
        // Messages of `act` have opened them again, and its own end has closed them.
        letGo();
      }
    },
  };
}

/** The text of a numbered line continues below itself. */
function wrap(line: string, columns: number): readonly string[] {
  return wrapLine(printable(line), /^ *(?:\d+ )?/.exec(line)?.[0].length ?? 0, columns);
}

/** Returns what fits all of them. */
function sizeFor(all: readonly TerminalSize[]): TerminalSize {
  const least = (of: "columns" | "rows") => Math.max(LEAST[of], Math.min(USUAL[of], ...all.map((one) => one[of])));
  // A line that fills its row moves the cursor of some terminals, and not of others.
  return { columns: least("columns") - 1, rows: least("rows") - 1 };
}
