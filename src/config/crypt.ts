import type { CryptPlan, CryptSettings } from "./crypt-plan.ts";

/** How a volume is unlocked of which nothing is said. */
export const DEFAULT_SETTINGS: CryptSettings = {
  header: null,
  keys: [],
  // mkinitcpio's limit; who has no key stick at hand should not have to wait longer to be asked.
  keyTimeoutMs: 10_000,
  keyslot: null,
  tries: 5,
  promptTimeoutMs: null,
  isReadOnly: false,
  options: [],
  allowsNull: false,
};

/** Nothing is unlocked but a root= that is itself a LUKS volume. */
export const NO_CRYPT: CryptPlan = { isOff: false, volumes: [], everyLuks: false, unnamed: DEFAULT_SETTINGS };
