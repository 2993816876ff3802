import type { SlotState } from "../formats/slots/state.ts";
import { type DeviceSpec, formatDeviceSpec } from "../parameters/device-spec.ts";
import type { Settings } from "../parameters/parameters.ts";
import type { Slot } from "../parameters/sources/slots.ts";

/** rd.slots=: the roots of which one is booted, and how often each is tried. */
export interface SlotsPlan {
  readonly slots: readonly Pick<Slot, "name" | "text">[];
  readonly tries: number;
  /** rd.slots.state=: the partition that keeps the count; null: an EFI variable. */
  readonly state: DeviceSpec | null;
  /** The slot that this boot starts. */
  readonly booted: string;
}

/** What decides which slot is booted; `plan` is not decided yet. */
export type ChooseSlot = (wish: Omit<SlotsPlan, "booted">) => string;

const DEFAULT_TRIES = 3;
/** Outside a boot: the slot of a machine that has counted nothing. */
const chooseFirst: ChooseSlot = ({ slots }) => slots[0]?.name ?? "";

/** Returns the chooser, which does `check` first; undefined without one. */
export function chooseAfter(check: () => unknown, choose: ChooseSlot | undefined): ChooseSlot | undefined {
  if (choose === undefined) return undefined;
  return (wish) => {
    check();
    return choose(wish);
  };
}

/** Decides which slot is booted, and returns the settings with its root; none if a person has named another root with `levain retry`. */
export function decideSlots(
  settings: Settings,
  added: readonly string[] = [],
  choose: ChooseSlot = chooseFirst,
): { readonly settings: Settings; readonly slots: SlotsPlan | null } {
  const { slots: all, slotTries: tries = DEFAULT_TRIES, slotState: state = null } = settings;
  if (all === undefined || added.some((text) => text.startsWith("root="))) return { settings, slots: null };
  const slots = all.map(({ name, text }) => ({ name, text }));
  const booted = choose({ slots, tries, state });
  const root = (all.find(({ name }) => name === booted) ?? all[0])?.root;
  return { settings: { ...settings, root }, slots: { slots, tries, state, booted } };
}

/** Returns the parameters that do nothing or are missing beside rd.slots=. */
export function warnOfSlots(given: Settings, { slots, isAttended }: { slots: SlotsPlan | null; isAttended: boolean }) {
  if (slots === null) {
    const isUnused = given.slots === undefined && (given.slotTries !== undefined || given.slotState !== undefined);
    return isUnused ? ["rd.slots.tries= and rd.slots.state= need rd.slots="] : [];
  }
  const waits = "a boot that fails waits for a person, and no other slot is tried: add rd.emergency=reboot";
  return [
    ...(given.root === undefined ? [] : ["root= is not used: rd.slots= names the roots"]),
    ...(isAttended ? [`rd.slots=: ${waits}`] : []),
  ];
}

/** The slot of a boot, and what is kept for the next. */
export interface SlotDecision {
  readonly booted: string;
  /** The tries that are left after this one. */
  readonly left: number;
  /** False if no slot had a try left: the last good one is booted, and nothing is counted, so a machine that cannot boot does not wear out its flash. */
  readonly isCounted: boolean;
  readonly state: SlotState;
}

type Wish = Pick<SlotsPlan, "slots" | "tries">;

/** Decides which slot is booted next: the first in order that has a try left. */
export function decideSlot({ slots, tries }: Wish, state: SlotState): SlotDecision {
  const names = slots.map(({ name }) => name);
  const order = state.first !== null && names.includes(state.first) ? [state.first, ...names] : names;
  const booted = order.find((name) => triesLeft({ tries }, state, name) > 0);
  if (booted === undefined) {
    const good = order.find((name) => name === state.good) ?? order[0] ?? "";
    return { booted: good, left: 0, isCounted: false, state };
  }
  const left = triesLeft({ tries }, state, booted) - 1;
  return { booted, left, isCounted: true, state: withLeft({ slots }, state, { [booted]: left }) };
}

/** Returns how often a slot may be tried; never more than rd.slots.tries=. */
export function triesLeft({ tries }: Pick<Wish, "tries">, { left }: SlotState, name: string): number {
  return Math.min(tries, Object.hasOwn(left, name) ? (left[name] ?? tries) : tries);
}

/** The state after `levain slot ok`. */
export function markGood(wish: Wish, state: SlotState, booted: string): SlotState {
  return { ...withLeft(wish, state, { [booted]: wish.tries }), good: booted };
}

/** The state after `levain slot set`: the next boot tries this slot first, as often as a new one. */
export function setFirst(wish: Wish, state: SlotState, name: string): SlotState {
  return { ...withLeft(wish, state, { [name]: wish.tries }), first: name };
}

/** Slots that rd.slots= does not name any more are left out. */
function withLeft({ slots }: Pick<Wish, "slots">, state: SlotState, more: SlotState["left"]): SlotState {
  const known = Object.entries(state.left).filter(([name]) => slots.some((slot) => slot.name === name));
  return { ...state, left: { ...Object.fromEntries(known), ...more } };
}

/** Formats the slots for `levain plan`. */
export function formatSlots(plan: SlotsPlan | null): string | null {
  if (plan === null) return null;
  const { slots, tries, state, booted } = plan;
  const each = slots.map(({ name, text }) => `${name} is ${text}${name === booted ? " (booted)" : ""}`).join(", ");
  return `${each}; ${tries} tries each, counted ${state === null ? "in an EFI variable" : `on ${formatDeviceSpec(state)}`}`;
}
