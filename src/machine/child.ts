/** What a child process says when it is asked for its answer. */
export type ChildNews =
  | { readonly kind: "answer" /** The caller wipes them. */; readonly bytes: Uint8Array }
  /** It is still at work. */
  | { readonly kind: "busy" }
  /** It ended without an answer: the exit status, or 128 + the signal's number. */
  | { readonly kind: "gone"; readonly status: number };

/** A second process of this program, which works for the first one order after the other. */
export interface Child {
  /** Gives it an order of up to 16 MiB; the one before must be answered. The caller wipes its own copy. */
  order(bytes: Uint8Array): void;
  /** Waits for the answer to the order, at most `timeoutMs`. After "gone" only `stop` may be called. */
  answer(timeoutMs: number): ChildNews;
  /** Kills it, in the middle of whatever it does, and overwrites the order and the answer. */
  stop(): void;
}

/** Work that can be stopped at any time, because another process does it. */
export interface Children {
  /** Starts this program once more as `levain COMMAND`, which must call `serveParent`. Throws SyscallError where no process can be started. */
  startChild(command: string): Child;
  /**
   * In such a process: answers orders until the parent stops it or is gone. `work` gets an order in memory that the parent
   * overwrites, so it must not copy what is secret; its answer is wiped here. It must not throw.
   */
  serveParent(work: (order: Uint8Array) => Uint8Array): never;
}
