import { BootError } from "../../../problems/errors.ts";
import { askPassphrase } from "../../../prompt/passphrase.ts";
import type { Scene } from "../../opener.ts";
import { specText } from "../../search-words.ts";
import { isGone } from "./device.ts";
import { describeVolume, type Volume } from "./state.ts";
import { ASK_AGAIN, hasNews, isDispensable } from "./volume.ts";

/** What a prompt needs to know of the others. */
export interface Asking {
  readonly scene: Scene;
  readonly keymap: string | null;
  readonly volumes: readonly Volume[];
  readonly passphrases: Uint8Array[];
  readonly guesses: Map<string, number>;
  /** True where what the plan calls the root is there, as things are now. */
  readonly isRootThere: () => boolean;
}

/** Asks a person for the passphrase of a volume, once; where the device with a key or header comes meanwhile, or the volume's own goes, or the root comes without it, the prompt goes. Throws BootError where the person gives up. */
export function askForVolume(asking: Asking, volume: Volume): void {
  const { scene, keymap, volumes, passphrases, guesses, isRootThere } = asking;
  const { wish, asked } = volume;
  scene.takeEvents(); // of a mapping that was tried and is gone: no news during the prompt
  const isNeeded = !isDispensable(volume) || isRootThere();
  const question = {
    volume: describeVolume(volume),
    triesLeft: wish.tries === 0 ? null : wish.tries - asked,
    keymap,
    timeoutMs: wish.promptTimeoutMs,
    lastWasWrong: volume.wasWrong,
  };
  const answer = askPassphrase(scene.machine, scene.terminals, question, () => {
    scene.takeEvents();
    return isGone(scene, volume) || volumes.some((one) => hasNews(scene, one)) || (!isNeeded && isRootThere());
  });
  switch (answer.kind) {
    case "passphrase":
      passphrases.push(answer.bytes);
      volume.asked += 1;
      volume.wasWrong = true; // as long as it is not open
      if (volume.lock?.isGuess === true) guesses.set(specText(wish.device), volume.asked);
      return;
    case "interrupted":
      return;
    case "timeout":
      volume.failure = new BootError(`could not unlock ${describeVolume(volume)}`, {
        cause: new BootError(`nobody typed a passphrase within ${Math.round((wish.promptTimeoutMs ?? 0) / 1000)} s`),
        hints: ASK_AGAIN,
      });
      return;
    case "cancelled":
      throw new BootError(`could not unlock ${describeVolume(volume)}`, {
        cause: new BootError("the prompt was cancelled by Ctrl-C"),
        hints: ASK_AGAIN,
      });
  }
}
