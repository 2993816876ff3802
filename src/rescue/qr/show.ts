import type { BootRecord } from "../../log/boot-record.ts";
import { SCREEN_NODE } from "../../log/consoles.ts";
import { CHILD_COMMANDS } from "../../machine/child-commands.ts";
import type { Machine } from "../../machine/machine.ts";
import { textOrNone } from "../../machine/small-files.ts";
import type { TerminalSize } from "../../machine/terminals.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError, orIfRefused, tolerateRefusal } from "../../problems/errors.ts";
import { decodeQr, encodeQr } from "./order.ts";
import { MOST_BYTES, sizeOfQr } from "./size.ts";

/** The failure policy waits for it. */
const DRAW_MS = 5000;
/** What follows the code: where the shell is, and its prompt. */
const ROWS_BELOW = 5;

/**
 * Shows the code of a failure as a QR code on the screen, if that has room for it below the report: for a person whose phone has a network
 * when the machine has none. A serial line does not know its size, and its log is read by programs. Never throws.
 */
export function showQr(
  machine: Machine,
  { levain, failure }: Pick<BootRecord, "levain" | "failure">,
  error: unknown,
  { helpUrl }: Pick<BootPlan["rescue"], "helpUrl">,
): void {
  if (helpUrl === false) return;
  tolerateRefusal(() => {
    const screen = measureScreen(machine);
    if (screen === null) return;
    const code = error instanceof BootError ? error.code : null;
    const text = helpUrl === null ? describe(levain, code, failure) : `${helpUrl}${code ?? ""}`;
    // Whether the screen shows UTF-8, and not one character for each byte (drivers/tty/vt/vt.c).
    const hasBlocks = /^[1Y]/.test(textOrNone(machine, "/sys/module/vt/parameters/default_utf8"));
    const size = sizeOfQr(Buffer.byteLength(text), hasBlocks);
    const rowsLeft = screen.rows - failure.length - ROWS_BELOW;
    if (size === null || size.columns > screen.columns || size.rows > rowsLeft) return;
    const lines = draw(machine, text, hasBlocks);
    machine.writeConsole(lines.map((line) => `${line}\n`).join(""), SCREEN_NODE);
  });
}

/** Returns null without a screen. */
function measureScreen(machine: Machine): TerminalSize | null {
  if (orIfRefused(() => machine.stat(SCREEN_NODE), null) === null) return null;
  try {
    return machine.openTerminals([SCREEN_NODE]).length === 0 ? null : machine.terminalSize(SCREEN_NODE);
  } finally {
    machine.closeTerminals();
  }
}

/** Without an address of documentation: what failed and why, as far as there is room. */
function describe(levain: string, code: string | null, [what = "", why = ""]: readonly string[]): string {
  const text = [`levain ${levain} ${code ?? ""}`.trim(), what, why.trim()].join("\n");
  const bytes = new TextEncoder().encode(text);
  return new TextDecoder().decode(bytes.subarray(0, MOST_BYTES - 3)).replace(/\uFFFD$/, "");
}

function draw(machine: Machine, text: string, hasBlocks: boolean): readonly string[] {
  const child = machine.startChild(CHILD_COMMANDS.qr);
  try {
    child.order(encodeQr({ text, hasBlocks }));
    const news = child.answer(DRAW_MS);
    return news.kind === "answer" ? decodeQr(news.bytes) : [];
  } finally {
    child.stop();
  }
}
