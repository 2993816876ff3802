import { tryParse } from "../parse.ts";

/** A value that was read, or why it could not be: a mistake only in a boot that uses the network. */
export type Deferred<T> = { readonly value: T } | { readonly text: string; readonly expected: string };

/** Returns a parser that never throws: a parameter of the network must not stop a boot that has its root on a disk. */
export function deferred<T>(parse: (text: string) => T): (text: string) => Deferred<T> {
  return (text) => {
    const read = tryParse(parse, text);
    return "value" in read ? read : { text, expected: read.expected };
  };
}

/** Returns what could be read. */
export function readable<T>(values: readonly Deferred<T>[]): readonly T[] {
  return values.flatMap((one) => ("value" in one ? [one.value] : []));
}
