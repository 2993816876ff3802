import { rehearseUnlock } from "../../../keys/rehearsal.ts";
import { problem } from "../../../problems/problem.ts";
import { askPassphrase } from "../../../prompt/passphrase.ts";
import type { ContinueLoading } from "../../../prompt/prompt-input.ts";
import type { StorageContext } from "../../contract.ts";
import { asked, failed, type Volume } from "./state.ts";
import { describeVolume } from "./volume.ts";

/** Asks the user for the passphrase of a volume, once, and loads the other drivers meanwhile; returns what the caller wipes. The prompt ends when `isSettled` returns true, which is called after uevents. Throws BootError if the user gives up. */
export function askForVolume(
  { machine, drivers, terminals, takeEvents }: StorageContext,
  volume: Volume,
  keymap: string | null,
  isSettled: () => boolean,
): { readonly volume: Volume; readonly passphrase: Uint8Array | null } {
  const { wish } = volume;
  takeEvents(); // of a mapping that was tried and is gone: no news during the prompt
  const question = {
    volume: describeVolume(volume),
    triesLeft: wish.tries === 0 ? null : wish.tries - volume.asked,
    keymap,
    timeoutMs: wish.promptTimeoutMs,
    lastWasWrong: volume.wasWrong,
  };
  const answer = askPassphrase(machine, terminals, question, {
    continueLoading: continueBehind(drivers),
    onDeviceEvent() {
      takeEvents();
      return isSettled();
    },
  });
  const failure = (cause: Error) => problem("volume-locked", { volume: describeVolume(volume) }, { cause });
  switch (answer.kind) {
    case "passphrase":
      return { volume: asked(volume), passphrase: answer.bytes };
    case "interrupted":
      return { volume, passphrase: null };
    case "timeout": {
      const seconds = Math.round((wish.promptTimeoutMs ?? 0) / 1000);
      return { volume: failed(volume, failure(problem("passphrase-timeout", { seconds }))), passphrase: null };
    }
    case "cancelled":
      throw failure(problem("prompt-cancelled", {}));
  }
}

/** The code of an unlock stays in memory, whichever volume was asked for. */
let isRehearsed = false;

/** Loads drivers, and when they are loaded, rehearses what follows Enter, once. */
function continueBehind(drivers: StorageContext["drivers"]): ContinueLoading {
  return () => {
    const load = drivers.loadInBackground();
    if (load.leftMs === Number.POSITIVE_INFINITY && !isRehearsed) {
      isRehearsed = true;
      rehearseUnlock();
    }
    return load;
  };
}
