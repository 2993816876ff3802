import type { AsyncReader } from "../../src/machine/async.ts";

/** Reads one place; throws what the device refused it with. */
export function readOne(reader: AsyncReader, offset: number, length: number, timeoutMs: number): Uint8Array | null {
  const results = reader.read([{ offset, length }], timeoutMs);
  const [result = null] = results ?? [];
  if (result instanceof Error) throw result;
  return result;
}
