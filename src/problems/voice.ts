/**
 * The messages of a step while it runs. Steps return or throw and never log; this is for what a person must read before that: a
 * fallback, a wait, the progress of a copy.
 */
export interface Voice {
  /** Something differs from what was requested; the boot continues. */
  warn(text: string): void;
  /** A message for `rd.debug`. */
  debug(text: string): void;
  /** Something that takes long, and its progress; shown with `quiet` only if it is urgent. */
  progress(text: string, options?: { readonly isUrgent?: boolean }): void;
}
