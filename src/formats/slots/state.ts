import * as v from "valibot";

/** What is kept from one boot to the next about the slots of rd.slots=. */
export interface SlotState {
  /** The slot to try first: that of `levain slot set`; null: the first of rd.slots=. */
  readonly first: string | null;
  /** The slot that was last marked as good; null if none was. */
  readonly good: string | null;
  /** The tries that each slot has left; one that is not here has all of them. */
  readonly left: Readonly<Record<string, number>>;
}

/** The state of a machine that has counted nothing yet. */
export const NO_SLOT_STATE: SlotState = { first: null, good: null, left: {} };

/** The name of a slot: it goes into messages, and into a sector with others. */
export const SLOT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,15}$/;
export const MOST_SLOTS = 8;
export const MOST_TRIES = 99;

const NAME = v.nullable(v.pipe(v.string(), v.regex(SLOT_NAME)));
const LEFT = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MOST_TRIES));
const STATE = v.object({
  version: v.literal(1),
  first: NAME,
  good: NAME,
  left: v.record(v.pipe(v.string(), v.regex(SLOT_NAME)), LEFT),
});

/** Encodes a state as text, which a person can read in an EFI variable. */
export function encodeSlotState({ first, good, left }: SlotState): Uint8Array {
  return Buffer.from(`${JSON.stringify({ version: 1, first, good, left })}\n`);
}

/** Returns null for anything else, and for a later version. */
export function parseSlotState(bytes: Uint8Array): SlotState | null {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), STATE), new TextDecoder().decode(bytes));
  if (!result.success) return null;
  const { first, good, left } = result.output;
  return { first, good, left };
}

/*
 * On a partition there are two copies, 64 KiB apart, so that no sector or erase block has both. A change overwrites the older one:
 * a power cut damages at most that, and the other is still the state before. Each copy is a line:
 *
 *   levain-slots SEQUENCE CRC32 {"version":1,…}
 */
export const COPY_BYTES = 512;
export const COPY_OFFSETS = [0, 64 << 10] as const;
const MAGIC = "levain-slots ";
const LINE = /^levain-slots (\d{1,15}) ([0-9a-f]{8}) (\{.*\}\n)\0*$/s;

/** The newest valid copy, and where the next one goes; null if the partition holds something else. */
export interface SlotCopies {
  readonly state: SlotState;
  readonly sequence: number;
  readonly nextOffset: number;
}

/** Reads the copies of a partition, those at `COPY_OFFSETS`; null for one that cannot be read. */
export function parseSlotCopies(copies: readonly (Uint8Array | null)[]): SlotCopies | null {
  const valid = copies.flatMap((bytes, index) => {
    const copy = bytes === null ? null : parseCopy(bytes);
    return copy === null ? [] : [{ ...copy, index }];
  });
  const newest = valid.toSorted((one, other) => other.sequence - one.sequence)[0];
  if (newest === undefined) {
    const isOurs = copies.every((bytes) => bytes !== null && isEmptyOrTorn(bytes));
    return isOurs ? { state: NO_SLOT_STATE, sequence: 0, nextOffset: COPY_OFFSETS[0] } : null;
  }
  return { ...newest, nextOffset: newest.index === 0 ? COPY_OFFSETS[1] : COPY_OFFSETS[0] };
}

/** Encodes the copy that follows `sequence`. */
export function encodeSlotCopy(state: SlotState, sequence: number): Uint8Array {
  const body = encodeSlotState(state);
  const number = String(sequence + 1);
  const line = Buffer.concat([Buffer.from(`${MAGIC}${number} ${checksum(number, body)} `), body]);
  const copy = new Uint8Array(COPY_BYTES);
  copy.set(line); // SLOT_NAME and MOST_SLOTS keep it short enough
  return copy;
}

/** True for zeros, and for a copy whose first write was cut off or that is damaged. */
function isEmptyOrTorn(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString("latin1").replace(/\0+$/, "");
  return MAGIC.startsWith(text) || text.startsWith(MAGIC);
}

function parseCopy(bytes: Uint8Array): Pick<SlotCopies, "state" | "sequence"> | null {
  const [, number = "", sum, body = ""] = LINE.exec(Buffer.from(bytes).toString("latin1")) ?? [];
  if (sum === undefined || sum !== checksum(number, Buffer.from(body, "latin1"))) return null;
  const state = parseSlotState(Buffer.from(body, "latin1"));
  return state === null ? null : { state, sequence: Number(number) };
}

function checksum(number: string, body: Uint8Array): string {
  return Bun.hash
    .crc32(Buffer.concat([Buffer.from(`${number} `), body]))
    .toString(16)
    .padStart(8, "0");
}
