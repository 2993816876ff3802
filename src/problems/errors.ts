/** What a person can do something with: says what, why (in `cause` or the message), what was seen, and what to try. */
export class BootError extends Error {
  /** One sentence that says what to try. */
  readonly hint: string | null;
  /** What was found instead, one item each, already safe to print. */
  readonly seen: readonly string[];

  constructor(message: string, detail: { hint?: string; seen?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: detail.cause });
    this.name = "BootError";
    this.hint = detail.hint ?? null;
    this.seen = detail.seen ?? [];
  }
}

/** A system call that the kernel refused: `call` as in its manual page, `code` the errno name, `subject` what it was asked for. */
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

/** True where `error` is the kernel's refusal with one of these errno names; with none named, any refusal. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is SyscallError {
  return error instanceof SyscallError && (codes.length === 0 || codes.includes(error.code));
}
