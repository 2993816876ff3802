import { loadAllDrivers } from "../../drivers/loader.ts";
import { encodeEfiVariable } from "../../filesystems/efi-variables.ts";
import { encodeSlotState, NO_SLOT_STATE, type SlotState } from "../../formats/slots/state.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { type ChooseSlot, decideSlot, markGood, type SlotDecision, type SlotsPlan } from "../../plan/slots.ts";
import { BootError, isErrno, tolerateRefusal, unlessRefused } from "../../problems/errors.ts";
import { describeRefusal, sentence } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { readCountPath } from "./boot-count.ts";
import { type BootedSlot, readBootedSlot, SLOT_FILE } from "./slot-file.ts";
import { changeSlotState, findSlotPlace, type SlotPlace } from "./slot-store.ts";

/** Is there beside `SLOT_FILE` on a machine with EFI: the variable's content that marks the slot as good, for a system without levain. */
export const GOOD_FILE = "/run/levain/slot.good";

type Wish = Omit<SlotsPlan, "booted">;

/**
 * Returns what decides which slot this boot starts, once, and counts the try before anything else can fail. A state that cannot be
 * read or written is a warning: the machine boots, and counts nothing.
 */
export function createSlotChooser(machine: Machine, voice: Voice, modules: () => BootPlan["modules"]): ChooseSlot {
  let chosen: string | null = null; // /run may refuse the file
  return (wish) => {
    const before = chosen ?? readBootedSlot(machine)?.booted ?? null;
    if (before !== null) return before; // of a boot that a shell or a crash has interrupted
    let place: SlotPlace = null;
    let isKept = false;
    let entryPath: string | null = null;
    let decision = decideSlot(wish, NO_SLOT_STATE);
    try {
      if (wish.state !== null) loadAllDrivers(machine, modules(), voice);
      place = findSlotPlace(machine, wish.state);
      changeSlotState(machine, voice, place, (state, read) => {
        if (read !== null) entryPath = readCountPath(read);
        decision = decideSlot(wish, state);
        return decision.isCounted ? decision.state : null;
      });
      isKept = true;
    } catch (error) {
      if (!(error instanceof BootError) && !isErrno(error)) throw error;
      const { booted } = decision;
      voice.warn(
        `${sentence(error)}: the try of slot ${booted} is not counted, and if ${booted} is bad, no other slot is tried`,
      );
    }
    chosen = decision.booted;
    leaveFiles({ machine, voice }, wish, decision, { kept: isKept ? { place } : null, entryPath });
    return chosen;
  };
}

function leaveFiles(
  { machine, voice }: { readonly machine: Machine; readonly voice: Voice },
  { slots, tries }: Wish,
  { booted, left, isCounted, state }: SlotDecision,
  { kept, entryPath }: { readonly kept: { readonly place: SlotPlace } | null; readonly entryPath: string | null },
): void {
  const node = kept?.place ?? null;
  const place = node === null ? null : (machine.stat(node)?.represents ?? null);
  const where = { place, isKept: kept !== null, entryPath };
  const file: BootedSlot = { slots: [...slots], tries, booted, left, isCounted, ...where };
  const leave = (path: string, data: Uint8Array | string) =>
    unlessRefused(
      () => machine.writeFile(path, data),
      (refusal) => {
        tolerateRefusal(() => machine.removeFile(path)); // a part of it would only mislead
        voice.warn(`cannot write ${path}, so slot ${booted} cannot be marked as good: ${describeRefusal(refusal)}`);
      },
    );
  leave(SLOT_FILE, JSON.stringify(file));
  if (kept !== null && node === null) leave(GOOD_FILE, goodVariable({ slots, tries }, state, booted));
}

const goodVariable = (wish: Pick<Wish, "slots" | "tries">, state: SlotState, booted: string) =>
  encodeEfiVariable(encodeSlotState(markGood(wish, state, booted)));
