import { inBuilder } from "./diagnosis.ts";
import type { Hint } from "./errors.ts";

/** The one wording for what levain cannot do yet. */
export function notSupportedYet(what: string): string {
  return `${what} is not supported yet`;
}

/** What to try if the root lies on a layer that levain does not support yet. */
export function useOtherInitramfs(layer: string): Hint {
  return inBuilder(`boot with an initramfs that sets up ${layer} (dracut's, for example)`);
}
