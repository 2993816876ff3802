/** What a person typed, or what else happened meanwhile. */
export type TerminalInput =
  | { readonly kind: "typed"; readonly terminal: string /** The caller wipes them. */; readonly bytes: Uint8Array }
  /** It is not open any more; it may be opened again. */
  | { readonly kind: "hangup"; readonly terminal: string }
  /** A uevent waits to be taken by `nextDeviceEvent`. */
  | { readonly kind: "device" }
  | { readonly kind: "timeout" };

/** The consoles as terminals that a person types on. */
export interface Terminals {
  /**
   * Opens tty nodes ("/dev/ttyS0") for typing without echo, byte by byte, Ctrl-C as a byte; what was typed before is dropped.
   * Those that are open stay as they are, and those that cannot be opened are left out; returns which of `nodes` are open now.
   */
  openTerminals(nodes: readonly string[]): readonly string[];
  /** Never throws: one that takes no text for a second loses it. */
  writeTerminal(node: string, text: string): void;
  /** Waits for what comes first; null: without limit. Where uevents are listened for, one that waits is reported every time until it is taken; until "typing", uevents do not end the wait. */
  readTerminals(timeoutMs: number | null, until?: "anything" | "typing"): TerminalInput;
  /** All of them, as they were before; what was typed and not read is dropped. */
  closeTerminals(): void;
  /**
   * Loads a keymap into the virtual terminals (KDSKBENT); `tables`: by keymap number (0 plain, 1 shift, …) its 128 entries.
   * What the kernel does not know among them is left out. Throws SyscallError ENOTTY where there is no virtual terminal.
   */
  loadKeymap(tables: ReadonlyMap<number, Uint16Array>): void;
}
