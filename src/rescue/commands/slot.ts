import { type BootedSlot, readBootedSlot } from "../../boot/tries/slot-file.ts";
import { changeSlotState } from "../../boot/tries/slot-store.ts";
import { listBlockDeviceNames, readDeviceEntry } from "../../devices/block-devices.ts";
import { NO_SLOT_STATE, type SlotState } from "../../formats/slots/state.ts";
import type { Machine } from "../../machine/machine.ts";
import { markGood, setFirst, triesLeft } from "../../plan/slots.ts";
import { SyscallError } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { alignColumns, printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";

/** A slot, as `levain slot --json` prints it. */
interface SlotRow {
  readonly name: string;
  readonly root: string;
  readonly triesLeft: number;
  readonly tries: number;
  readonly isBooted: boolean;
  /** It was the last that `levain slot ok` has marked. */
  readonly isGood: boolean;
  readonly isFirst: boolean;
}

/** Lists the slots with the tries that they have left. Throws BootError, SyscallError. */
export function listSlots(machine: Machine, voice: Voice): readonly SlotRow[] {
  let state = NO_SLOT_STATE;
  const booted = change(machine, voice, (now) => {
    state = now;
    return now;
  });
  const first = state.first ?? booted.slots[0]?.name;
  return booted.slots.map(({ name, text }) => ({
    name,
    root: text,
    triesLeft: triesLeft(booted, state, name),
    tries: booted.tries,
    isBooted: name === booted.booted,
    isGood: name === state.good,
    isFirst: name === first,
  }));
}

/** Formats `levain slot`. */
export function describeSlots(rows: readonly SlotRow[]): readonly string[] {
  const cells = rows.map((row) => [
    row.name,
    printable(row.root),
    `${row.triesLeft} of ${row.tries}`,
    [row.isBooted && "booted", row.isGood && "good", row.isFirst && "first"]
      .filter((word) => word !== false)
      .join(", "),
  ]);
  return alignColumns([["SLOT", "ROOT", "TRIES LEFT", ""], ...cells]);
}

/** Marks the booted slot as good: it has all tries again. Returns what to print. Throws BootError, SyscallError. */
export function confirmSlot(machine: Machine, voice: Voice): string {
  const booted = change(machine, voice, (state, slots) => markGood(slots, state, slots.booted));
  return `slot ${booted.booted} is good: it has ${countTries(booted)} again`;
}

/** Makes the next boot start another slot. Returns what to print. Throws BootError, SyscallError. */
export function selectSlot(machine: Machine, voice: Voice, name: string): string {
  const booted = change(machine, voice, (state, slots) => {
    const names = slots.slots.map((slot) => slot.name);
    if (!names.includes(name)) throw problem("slot-unknown", { name, names });
    return setFirst(slots, state, name);
  });
  return `the next boot starts slot ${name}: it has ${countTries(booted)}`;
}

const countTries = ({ tries }: BootedSlot) => (tries === 1 ? "1 try" : `${tries} tries`);

/** Changes the state, and returns what was booted. Flash memory wears out: what is there already is not written again. */
function change(machine: Machine, voice: Voice, act: (state: SlotState, booted: BootedSlot) => SlotState): BootedSlot {
  const booted = readBootedSlot(machine);
  if (booted === null) throw problem("slots-not-used", {});
  if (!booted.isKept) throw problem("slots-not-kept", { booted: booted.booted });
  const place = booted.place === null ? null : nodeOf(machine, booted.place);
  changeSlotState(machine, voice, place, (before) => {
    const after = act(before, booted);
    return Bun.deepEquals(before, after) ? null : after;
  });
  return booted;
}

/** The real system may have another name for the partition. */
function nodeOf(machine: Machine, number: string): string {
  const entries = listBlockDeviceNames(machine).map((name) => readDeviceEntry(machine, name));
  const found = entries.find((entry) => entry?.number === number);
  if (found === undefined || found === null) throw new SyscallError("open", "ENODEV", number);
  return found.node;
}
