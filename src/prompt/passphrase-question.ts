import { printable, wrapLine } from "../problems/report.ts";

const INDENT = " ".repeat(12);
/** What stands before the answer. */
export const PROMPT = `${INDENT}passphrase: `;

/** What a person is asked. */
export interface Question {
  /** `/dev/vda2 (LUKS2, "label") as root` */
  readonly volume: string;
  /** With this one; null: for ever. */
  readonly triesLeft: number | null;
  /** The keymap's name; null: the kernel's own. */
  readonly keymap: string | null;
  /** Milliseconds from the last key on; null: for ever. */
  readonly timeoutMs: number | null;
  /** The answer before this one did not open it. */
  readonly lastWasWrong: boolean;
}

/** The question as a terminal shows it, up to where the answer is typed; `isEarly`: something was typed there before. */
export function describeQuestion(
  { volume, triesLeft, keymap, lastWasWrong }: Question,
  { isEarly }: { readonly isEarly: boolean },
): string {
  const left = triesLeft === 1 ? ", the last try" : `, ${triesLeft} tries left`;
  const tries = triesLeft === null ? "" : left;
  const layout = keymap === null ? "" : `, keymap ${printable(keymap)}`;
  const wrong = lastWasWrong ? `${INDENT}that is not its passphrase\n` : "";
  const asked = wrapLine(`  unlock    ${printable(volume)}${tries}${layout}`, INDENT.length);
  const early = isEarly ? `${INDENT}typed before this prompt: ignored\n` : "";
  return `${wrong}${early}${asked.join("\n")}\n${PROMPT}`;
}
