/** What a person typed, or another event. */
export type TerminalInput =
  | { readonly kind: "typed"; readonly terminal: string /** The caller wipes them. */; readonly bytes: Uint8Array }
  /** It is closed now; it may be opened again. */
  | { readonly kind: "hangup"; readonly terminal: string }
  /** A uevent waits to be taken by `nextDeviceEvent`. */
  | { readonly kind: "device" }
  /** The answer for an `AsyncReader` or a `PendingModule` has come. */
  | { readonly kind: "answer" }
  | { readonly kind: "timeout" };

/** In characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The consoles as terminals for typing. */
export interface Terminals {
  /**
   * Opens tty nodes ("/dev/ttyS0") for typing without echo, byte by byte, Ctrl-C as a byte; wipes what was typed before. Leaves
   * open ones as they are and skips those that cannot be opened; returns which of `nodes` are open now.
   */
  openTerminals(nodes: readonly string[]): readonly string[];
  /** Never throws: text for a terminal that accepts none for a second is lost. */
  writeTerminal(node: string, text: string): void;
  /** Returns the size of a terminal that is open; null if it does not know its size, as a serial line. */
  terminalSize(node: string): TerminalSize | null;
  /** Waits for the first event; null: no limit. A queued uevent is reported at every call until it is taken, if levain listens for uevents, and so is the answer for an `AsyncReader`; that for a `PendingModule` is reported once. With "answer", uevents do not end the wait; with "typing", answers do not either. */
  readTerminals(timeoutMs: number | null, until?: "anything" | "answer" | "typing"): TerminalInput;
  /** Restores and closes all of them; wipes what was typed and not read. */
  closeTerminals(): void;
  /**
   * Loads a keymap into the virtual terminals (KDSKBENT); `tables`: by keymap number (0 plain, 1 shift, …) its 128 entries.
   * Skips entries that the kernel does not know. Throws SyscallError ENOTTY if there is no virtual terminal.
   */
  loadKeymap(tables: ReadonlyMap<number, Uint16Array>): void;
}
