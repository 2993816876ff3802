import type { BlockDevice } from "../../devices/block-devices.ts";

/** What is done on the filesystem for logs, in a process of its own. */
export interface LogOrder {
  readonly device: Pick<BlockDevice, "node" | "facts" | "unreadable">;
  /** Its mount options. */
  readonly options: string;
  /** A directory of the filesystem; null for its top. */
  readonly path: string | null;
  /** The files of a log, which is saved; null: the news of an earlier one are removed. */
  readonly log: { readonly txt: string; readonly json: string } | null;
  /** What must stay free, for the filesystem's tables or for others. */
  readonly spareBytes: number;
  /** The device in words. */
  readonly name: string;
}

/** The name of the saved text, or why it was not saved, as a clause. */
export type LogAnswer = { readonly file: string } | { readonly why: string };

/** Encodes an order or an answer as JSON. */
export function encodeJson(value: LogOrder | LogAnswer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Decodes what this program has encoded. */
export function decodeJson<T extends LogOrder | LogAnswer>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
}
