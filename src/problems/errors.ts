/** What a person must have to follow a hint: a shell on this machine, the boot loader's command line, a machine where the image is built, or hands at the hardware. */
export type Need = "shell" | "boot loader" | "builder" | "hands";

/** One thing to try. */
export interface Hint {
  readonly text: string;
  /** null: nothing. */
  readonly needs: Need | null;
}

/** The parts of a BootError besides its message. */
export interface ErrorDetail {
  /** A hint that needs nothing. */
  readonly hint?: string;
  readonly hints?: readonly Hint[];
  readonly seen?: readonly string[];
  readonly cause?: unknown;
  readonly code?: string;
  readonly facts?: object;
}

/** An error for the user: says what failed (in lines after the first: why), what was seen, and what to try. */
export class BootError extends Error {
  /** The row of the table of diagnoses; null for errors that never stop a boot: a malformed header, a command on a running Linux. */
  readonly code: string | null;
  /** The facts of the diagnosis. */
  readonly facts: object;
  /** What to try: alternatives. */
  readonly hints: readonly Hint[];
  /** What was found instead. */
  readonly seen: readonly string[];

  constructor(message: string, detail: ErrorDetail = {}) {
    super(message, { cause: detail.cause });
    this.name = "BootError";
    this.code = detail.code ?? null;
    this.facts = detail.facts ?? {};
    this.hints = [...(detail.hint === undefined ? [] : [{ text: detail.hint, needs: null }]), ...(detail.hints ?? [])];
    this.seen = detail.seen ?? [];
  }
}

/** A system call that the kernel refused: `call` as in its manual page, `code` the errno name, `subject` the file or device. */
export class SyscallError extends Error {
  readonly call: string;
  readonly code: string;
  readonly subject: string;

  constructor(call: string, code: string, subject: string) {
    super(`${call} ${subject}: ${code}`);
    this.name = "SyscallError";
    this.call = call;
    this.code = code;
    this.subject = subject;
  }
}

/** Returns true if `error` is the kernel's refusal with one of these errno names, or without names any refusal. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is SyscallError {
  return error instanceof SyscallError && (codes.length === 0 || codes.includes(error.code));
}

/** Returns what `act` returns; if the kernel refuses (with one of `codes`, or without codes at all), what `instead` makes of the refusal. Other errors are thrown on. */
export function unlessRefused<T>(act: () => T, instead: (refusal: SyscallError) => T, ...codes: readonly string[]): T {
  try {
    return act();
  } catch (error) {
    if (!isErrno(error, ...codes)) throw error;
    return instead(error);
  }
}

/** Returns what `act` returns, or `otherwise` if the kernel refuses, with `codes` as in `unlessRefused`. */
export function orIfRefused<T, U>(act: () => T, otherwise: U, ...codes: readonly string[]): T | U {
  return unlessRefused<T | U>(act, () => otherwise, ...codes);
}

/** Returns what `act` returns, or `otherwise` if the kernel refuses or `act` throws a BootError. */
export function orIfFailed<T, U>(act: () => T, otherwise: U): T | U {
  try {
    return act();
  } catch (error) {
    if (error instanceof BootError || isErrno(error)) return otherwise;
    throw error;
  }
}

/** Does `act`, which the kernel may refuse. */
export function tolerateRefusal(act: () => unknown): void {
  orIfRefused(act, null);
}
