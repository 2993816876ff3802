import { describe, expect, test } from "bun:test";
import {
  COPY_BYTES,
  encodeSlotCopy,
  encodeSlotState,
  NO_SLOT_STATE,
  parseSlotCopies,
  parseSlotState,
  type SlotState,
} from "../../../../src/formats/slots/state.ts";

const OLD: SlotState = { first: null, good: "A", left: { A: 2, B: 3 } };
const NEW: SlotState = { first: "B", good: "A", left: { A: 1, B: 3 } };
const EMPTY = new Uint8Array(COPY_BYTES);

describe("a state of slots", () => {
  test("is text, and is read back", () => {
    expect(Buffer.from(encodeSlotState(OLD)).toString()).toBe(
      '{"version":1,"first":null,"good":"A","left":{"A":2,"B":3}}\n',
    );
    expect(parseSlotState(encodeSlotState(NEW))).toEqual(NEW);
  });

  test.each([
    "",
    "{}",
    '{"version":2,"first":null,"good":null,"left":{}}',
    '{"version":1,"first":"../x","good":null,"left":{}}',
  ])("anything else is none: %p", (text) => expect(parseSlotState(Buffer.from(text))).toBeNull());

  test("with the longest names fits into a copy", () => {
    const names = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(16));
    const left = Object.fromEntries(names.map((name) => [name, 99]));
    const state = { first: names[0] ?? "", good: names[1] ?? "", left };
    expect(parseSlotCopies([encodeSlotCopy(state, 10 ** 14), EMPTY])?.state).toEqual(state);
  });
});

describe("the copies on a partition", () => {
  test("an empty one has no state, and gets the first copy", () => {
    expect(parseSlotCopies([EMPTY, EMPTY])).toEqual({ state: NO_SLOT_STATE, sequence: 0, nextOffset: 0 });
  });

  test("a power cut at any byte of a write leaves the old state or the new one", () => {
    const before = encodeSlotCopy(OLD, 7);
    for (let written = 0; written < COPY_BYTES; written++) {
      const torn = Uint8Array.from([...before.subarray(0, written), ...EMPTY.subarray(written)]);
      expect(parseSlotCopies([torn, EMPTY])).not.toBeNull();
    }
    for (const stale of [EMPTY, encodeSlotCopy(NO_SLOT_STATE, 6)]) {
      const after = encodeSlotCopy(NEW, 8);
      expect(parseSlotCopies([before, stale])).toMatchObject({ state: OLD, sequence: 8, nextOffset: 64 << 10 });
      for (let written = 0; written <= COPY_BYTES; written++) {
        const torn = Uint8Array.from([...after.subarray(0, written), ...stale.subarray(written)]);
        const { state } = parseSlotCopies([before, torn]) ?? {};
        const isWhole = Buffer.compare(torn, after) === 0;
        expect([written, state]).toEqual([written, isWhole ? NEW : OLD]);
      }
    }
  });

  test("a copy that cannot be read or is damaged leaves the other", () => {
    expect(parseSlotCopies([null, encodeSlotCopy(NEW, 1)])?.state).toEqual(NEW);
    expect(parseSlotCopies([encodeSlotCopy(OLD, 1).map((byte, at) => (at === 40 ? byte ^ 1 : byte)), EMPTY])).toEqual({
      state: NO_SLOT_STATE,
      sequence: 0,
      nextOffset: 0,
    });
  });

  test("a partition that holds something else is not written to", () => {
    expect(parseSlotCopies([new Uint8Array(COPY_BYTES).fill(7), EMPTY])).toBeNull();
    expect(parseSlotCopies([EMPTY, new Uint8Array(COPY_BYTES).fill(7)])).toBeNull();
    expect(parseSlotCopies([null, null])).toBeNull();
  });
});
