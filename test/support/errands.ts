import type { Errands } from "../../src/prompt/passphrase.ts";

/** What a prompt does between keys where nothing is loaded meanwhile. */
export function errands(onDeviceEvent: () => boolean): Errands {
  return {
    continueLoading: () => ({ leftMs: Number.POSITIVE_INFINITY, hasMoved: false, hasNews: false }),
    onDeviceEvent,
  };
}
