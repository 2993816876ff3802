/** What a person typed, or what else happened meanwhile. */
export type TerminalInput =
  | { readonly kind: "typed"; readonly terminal: string /** The caller wipes them. */; readonly bytes: Uint8Array }
  /** A uevent waits to be taken by `nextDeviceEvent`. */
  | { readonly kind: "device" }
  | { readonly kind: "timeout" };

/** The consoles as terminals that a person types on. */
export interface Terminals {
  /** Opens tty nodes ("/dev/ttyS0") for typing without echo, byte by byte, Ctrl-C as a byte; what was typed before is dropped. Those that cannot be opened are left out; returns those that can be. */
  openTerminals(nodes: readonly string[]): readonly string[];
  writeTerminal(node: string, text: string): void;
  /** Waits for what comes first; null: for ever. A terminal that hung up is not heard any more. */
  readTerminals(timeoutMs: number | null): TerminalInput;
  /** As they were before. */
  closeTerminals(): void;
  /** Loads a keymap into the virtual terminals (KDSKBENT); `tables`: by keymap number (0 plain, 1 shift, …) its 128 entries. */
  loadKeymap(tables: ReadonlyMap<number, Uint16Array>): void;
}
