/** How text is stored on a disk. */
export type Encoding = "utf-16le" | "utf-16be" | "latin1";

/** UTF-8 of `bytes` up to a NUL, as libblkid makes it: a lone surrogate becomes three bytes of its own, half a unit at the end is dropped. */
export function toUtf8(bytes: Uint8Array, encoding: Encoding): Uint8Array {
  const utf8: number[] = [];
  for (const point of readPoints(bytes, encoding)) {
    if (point === 0) break;
    pushUtf8(utf8, point);
  }
  return Uint8Array.from(utf8);
}

function* readPoints(bytes: Uint8Array, encoding: Encoding): Generator<number> {
  if (encoding === "latin1") {
    yield* bytes;
    return;
  }
  const [high, low] = encoding === "utf-16le" ? [1, 0] : [0, 1];
  const unitAt = (at: number) => ((bytes[at + high] ?? 0) << 8) | (bytes[at + low] ?? 0);
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    const unit = unitAt(at);
    const next = unit >= 0xd800 && unit <= 0xdbff && at + 4 <= bytes.length ? unitAt(at + 2) : 0;
    if (next >= 0xdc00 && next <= 0xdfff) {
      yield 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
      at += 2;
    } else {
      yield unit;
    }
  }
}

function pushUtf8(into: number[], point: number): void {
  if (point < 0x80) {
    into.push(point);
  } else if (point < 0x800) {
    into.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    into.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
  } else {
    into.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
  }
}
