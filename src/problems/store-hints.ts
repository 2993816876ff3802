import { inBootLoader } from "./diagnosis.ts";

/** What starts the system without the changes of earlier boots. */
export const BOOT_WITHOUT_STORE = inBootLoader("boot without the changes once: rd.overlay=tmpfs");
/** What shows them all the same. */
export const SHOW_STORE = inBootLoader("look at the changes without writing to them: rd.overlay.readonly");
/** What removes them. */
export const RESET_STORE = inBootLoader("remove all changes: rd.overlay.reset");
