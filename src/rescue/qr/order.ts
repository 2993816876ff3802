/** What is drawn by a process of its own: the program that encodes it is only loaded there. */
export interface QrOrder {
  readonly text: string;
  /** The screen shows half blocks: a row has two modules. Without them, a module is two characters. */
  readonly hasBlocks: boolean;
}

/** Encodes an order, or the lines that answer it. */
export function encodeQr(value: QrOrder | readonly string[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Decodes what this program has encoded. */
export function decodeQr<T extends QrOrder | readonly string[]>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
}
