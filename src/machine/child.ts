/** The state of a child process when its answer is awaited. */
export type ChildNews =
  | { readonly kind: "answer" /** The caller wipes them. */; readonly bytes: Uint8Array }
  /** It is still working. */
  | { readonly kind: "busy" }
  /** It ended without an answer: the exit status, or 128 + the signal's number. */
  | { readonly kind: "gone"; readonly status: number };

/** A second process of this program, which carries out one order after the other. */
export interface Child {
  /** Sends an order of up to 16 MiB; the previous one must be answered. The caller wipes its own copy. */
  order(bytes: Uint8Array): void;
  /** Waits for the answer to the order, at most `timeoutMs`. After "gone" only `stop` may be called. */
  answer(timeoutMs: number): ChildNews;
  /** Kills it at once, and overwrites the order and the answer. */
  stop(): void;
}

/** Work in another process, which can be stopped at any time. */
export interface Children {
  /** Starts this program again as `levain COMMAND`, which must call `serveParent`. Throws SyscallError if no process can be started. */
  startChild(command: string): Child;
  /**
   * In such a process, answers orders until the parent stops it or is gone. `work` gets an order in memory that the parent
   * overwrites, so it must not copy secrets; its answer is wiped here. It must not throw.
   */
  serveParent(work: (order: Uint8Array) => Uint8Array): never;
}
