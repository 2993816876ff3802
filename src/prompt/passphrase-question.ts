import { printable, wrapLine } from "../problems/report.ts";

const INDENT = " ".repeat(12);

/** Returns the text before the answer. */
export const promptOf = ({ secret = "passphrase" }: Question) => `${INDENT}${secret}: `;

/** The question for a passphrase, or for the password of the rescue shell. */
export interface Question {
  /** What is asked for; a passphrase by default. */
  readonly secret?: "passphrase" | "password";
  /** `/dev/vda2 (LUKS2, "label") as root` */
  readonly volume: string;
  /** Including this one; null: no limit. */
  readonly triesLeft: number | null;
  /** The keymap's name; null: the kernel's own. */
  readonly keymap: string | null;
  /** Milliseconds since the last key; null: no limit. */
  readonly timeoutMs: number | null;
  /** A limit that no key moves: the machine's time. A line without a cable may send anything at any time. */
  readonly endsAtMs?: number | null;
  /** The previous answer did not open the volume. */
  readonly lastWasWrong: boolean;
}

/** Formats the question up to where the answer is typed; `isEarly`: something was typed before the prompt. */
export function describeQuestion(question: Question, isEarly: boolean): string {
  const { secret = "passphrase", volume, triesLeft, keymap, lastWasWrong } = question;
  const subject = (secret === "password" ? "shell" : "unlock").padEnd(10);
  const left = triesLeft === 1 ? ", the last try" : `, ${triesLeft} tries left`;
  const tries = triesLeft === null ? "" : left;
  const layout = keymap === null ? "" : `, keymap ${printable(keymap)}`;
  const wrong = lastWasWrong ? `${INDENT}wrong ${secret}\n` : "";
  const asked = wrapLine(`  ${subject}${printable(volume)}${tries}${layout}`, INDENT.length);
  const early = isEarly ? `${INDENT}typed before this prompt: ignored\n` : "";
  return `${wrong}${early}${asked.join("\n")}\n${promptOf(question)}`;
}
