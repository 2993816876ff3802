/**
 * How a step speaks while it is still at work. Steps return or throw and never log; this is for what a person must hear
 * before that: a fallback, a wait, how far a copy is.
 */
export interface Voice {
  /** Something went another way than asked for; the boot goes on. */
  warn(text: string): void;
  /** A line only for `rd.debug`. */
  debug(text: string): void;
  /** What takes long, and how far it is. */
  progress(text: string): void;
}
