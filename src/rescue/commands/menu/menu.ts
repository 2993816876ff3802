import { findShell } from "../../../filesystems/busybox.ts";
import { readRecord } from "../../../log/boot-record.ts";
import type { Machine } from "../../../machine/machine.ts";
import { hideSecret } from "../../../parameters/secrets.ts";
import { orIfFailed } from "../../../problems/errors.ts";
import { alignColumns, report } from "../../../problems/report.ts";
import type { Voice } from "../../../problems/voice.ts";
import { createHeldTerminals } from "../../../prompt/held-terminals.ts";
import { MENU_PLACE, type MenuPlace, readMenuPlace, SHELL_WANTED } from "../../menu-program.ts";
import { ONLY_TERMINAL, readKept } from "../../shell.ts";
import { requireStopped, retryBoot } from "../retry.ts";
import { choose } from "./choose.ts";
import { ITEMS, type Item } from "./items.ts";
import { createScreen, type Screen } from "./screen.ts";
import { type MenuEnd, type MenuTools, showAndWait } from "./tools.ts";

/** Does `levain menu`, with the variables of the rescue shell. Returns the exit status. Throws BootError if no boot is stopped here. */
export function startMenu(machine: Machine, environment: Readonly<Record<string, string | undefined>>): number {
  requireStopped(machine);
  const place = readMenuPlace(environment[MENU_PLACE]);
  const end = runMenu(machine, place, environment[ONLY_TERMINAL] ?? null);
  if (end === "retry" && place === "shell") retryBoot(machine, []);
  return end === "shell" && place === "alone" ? SHELL_WANTED : 0;
}

/** Shows the rescue menu on every console, or only where a person has typed the password of the shell, until a person leaves it. `place`: "locked" offers nothing that gives a shell or changes the boot. */
function runMenu(machine: Machine, place: MenuPlace, only: string | null): MenuEnd {
  const terminals = only === null ? createHeldTerminals(machine) : createHeldTerminals(machine, () => [only]);
  const screen = createScreen(machine, terminals);
  const tell = (text: string) => screen.show([text]);
  const voice: Voice = { warn: (text) => tell(`warning: ${text}`), debug: () => undefined, progress: tell };
  const tools = { machine, screen, voice };
  const hasShell = place === "shell" || findShell(machine) !== null;
  const isOffered = ({ key, isHarmless }: Item) => (place === "locked" ? isHarmless === true : key !== "s" || hasShell);
  const items = ITEMS.filter(isOffered);
  try {
    for (;;) {
      const end = chooseOnce(tools, items);
      if (end !== null) return end;
    }
  } finally {
    terminals.release();
  }
}

function chooseOnce(tools: MenuTools, items: readonly Item[]): MenuEnd | null {
  const { machine, screen } = tools;
  screen.begin();
  const summary = summarize(machine, screen.size());
  screen.show(summary);
  screen.show(layOut(items, screen.size(), summary.length));
  const key = choose(screen, "letter and Enter> ", items);
  const item = items.find((one) => one.key === key);
  if (item === undefined) return null;
  screen.begin();
  try {
    return item.run(tools);
  } catch (error) {
    // Of a bug too: a person has to be able to go on with another entry.
    showAndWait(tools, report(error));
    return null;
  }
}

/** What happened, in three lines, and what the next retry adds. */
function summarize(machine: Machine, { columns }: { readonly columns: number }): readonly string[] {
  const record = orIfFailed(() => readRecord(machine), null);
  const failed = record?.steps.find(({ outcome }) => outcome !== "done");
  const [what = "", why = ""] = record?.failure ?? [];
  const kept = orIfFailed(() => readKept(machine), []);
  const lines = [
    `the boot stopped at the step ${failed?.name ?? "prepare"}`,
    what,
    why.trim(),
    kept.length === 0 ? "" : `retry adds ${kept.map(hideSecret).join(" ")}`,
  ];
  return lines.filter((line) => line !== "").map((line) => cut(line, columns));
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 3)}...`;
}

/** One column with explanations if that fits, else two without. */
function layOut(items: readonly Item[], { columns, rows }: ReturnType<Screen["size"]>, used: number) {
  const lines = items.map(({ key, name, text }) => ` ${key}  ${name.padEnd(16)} ${text}`);
  const isRoomy = lines.length + used + 2 <= rows && lines.every((line) => line.length <= columns);
  if (isRoomy) return ["", ...lines];
  const half = Math.ceil(items.length / 2);
  const cell = ({ key, name }: Item) => `${key} ${name}`;
  const rest = items.slice(half);
  return alignColumns(items.slice(0, half).map((item, row) => [cell(item), ...rest.slice(row, row + 1).map(cell)]));
}
