import { equalSecrets, wipe } from "../crypto/secret.ts";
import { takeQueuedEvents } from "../devices/device-events.ts";
import { createDeriveKey } from "../keys/kdf.ts";
import { type PasswordHash, parsePasswordHash, SHELL_PASSWORD_FILE } from "../keys/shell-password.ts";
import type { Console } from "../log/console.ts";
import { shellTerminalOf } from "../log/consoles.ts";
import type { Machine } from "../machine/machine.ts";
import { bytesOrNone } from "../machine/small-files.ts";
import { problem } from "../problems/problem.ts";
import { report, wrapLines } from "../problems/report.ts";
import { createHeldTerminals, type HeldTerminals } from "../prompt/held-terminals.ts";
import { askPassphrase } from "../prompt/passphrase.ts";

const TRIES = 3;
/** After the first wrong password; twice as long after each further one. */
const FIRST_DELAY_MS = 2000;

/** Returns the hash of the image's shell password. Throws BootError if it has none, or one that cannot be read. */
export function readShellPassword(machine: Machine): PasswordHash {
  const text = bytesOrNone(machine, SHELL_PASSWORD_FILE);
  const hash = parsePasswordHash(text);
  if (hash === null) throw problem("shell-password-unusable", { isMissing: text.length === 0 });
  return hash;
}

/**
 * Asks on every console for the shell password of the image (rdshell=ask), three times at most; returns the terminal where it was typed, or
 * null. Everything that fails here is reported, and counts as a no.
 */
export function askShellPassword(machine: Machine, console: Console, timeoutMs: number | null): string | null {
  const terminals = createHeldTerminals(machine);
  try {
    const hash = readShellPassword(machine);
    terminals.hold();
    const endsAtMs = timeoutMs === null ? null : machine.nowMs() + timeoutMs;
    for (let number = 1; number <= TRIES; number++) {
      const result = tryOnce({ machine, terminals, endsAtMs }, hash, number);
      if (result !== "wrong") return result;
      if (number < TRIES) machine.sleepMs(FIRST_DELAY_MS * 2 ** (number - 1));
    }
    return null;
  } catch (error) {
    console.trouble(wrapLines(report(error)));
    return null;
  } finally {
    terminals.release();
  }
}

interface Asking {
  readonly machine: Machine;
  readonly terminals: HeldTerminals;
  readonly endsAtMs: number | null;
}

/** Returns the terminal for the shell, or null if the person gave up. Throws BootError. */
function tryOnce({ machine, terminals, endsAtMs }: Asking, { kdf, digest }: PasswordHash, number: number) {
  const question = {
    ...({ secret: "password", volume: "the rescue shell", keymap: null } as const),
    ...{ triesLeft: TRIES + 1 - number, lastWasWrong: number > 1, timeoutMs: null, endsAtMs },
  };
  const answer = askPassphrase(machine, terminals, question, {
    // All drivers are loaded before a shell.
    continueLoading: () => ({ leftMs: Number.POSITIVE_INFINITY, hasMoved: false, hasNews: false }),
    onDeviceEvent() {
      takeQueuedEvents(machine);
      return false;
    },
  });
  if (answer.kind !== "passphrase") return null;
  let derived: Uint8Array | null = null;
  try {
    derived = createDeriveKey(machine)(kdf, answer.bytes, digest.length);
    return equalSecrets(derived, digest) ? shellTerminalOf(machine, answer.terminal) : "wrong";
  } finally {
    wipe(answer.bytes, derived);
  }
}
