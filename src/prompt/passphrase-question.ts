import { printable, wrapLine } from "../problems/report.ts";

const INDENT = " ".repeat(12);
/** The text before the answer. */
export const PROMPT = `${INDENT}passphrase: `;

/** The question for a passphrase. */
export interface Question {
  /** `/dev/vda2 (LUKS2, "label") as root` */
  readonly volume: string;
  /** Including this one; null: no limit. */
  readonly triesLeft: number | null;
  /** The keymap's name; null: the kernel's own. */
  readonly keymap: string | null;
  /** Milliseconds since the last key; null: no limit. */
  readonly timeoutMs: number | null;
  /** The previous answer did not open the volume. */
  readonly lastWasWrong: boolean;
}

/** Formats the question up to where the answer is typed; `isEarly`: something was typed before the prompt. */
export function describeQuestion({ volume, triesLeft, keymap, lastWasWrong }: Question, isEarly: boolean): string {
  const left = triesLeft === 1 ? ", the last try" : `, ${triesLeft} tries left`;
  const tries = triesLeft === null ? "" : left;
  const layout = keymap === null ? "" : `, keymap ${printable(keymap)}`;
  const wrong = lastWasWrong ? `${INDENT}wrong passphrase\n` : "";
  const asked = wrapLine(`  unlock    ${printable(volume)}${tries}${layout}`, INDENT.length);
  const early = isEarly ? `${INDENT}typed before this prompt: ignored\n` : "";
  return `${wrong}${early}${asked.join("\n")}\n${PROMPT}`;
}
