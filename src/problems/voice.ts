/** When a block device was seen and when it had answered, in milliseconds since the kernel started; `text`: what it holds. */
export interface Answer {
  readonly node: string;
  readonly seenMs: number;
  readonly answeredMs: number;
  readonly text: string;
}

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
  /** A block device has answered; only a boot keeps a record of that. */
  answered?(answer: Answer): void;
}
