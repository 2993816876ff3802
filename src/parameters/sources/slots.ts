import { MOST_SLOTS, SLOT_NAME } from "../../formats/slots/state.ts";
import { Expected, parseWhole } from "../parse.ts";
import { type RootSetting, root } from "./root-setting.ts";

/** A root that may be booted in turn with others. */
export interface Slot {
  readonly name: string;
  /** As root= would name it. */
  readonly text: string;
  readonly root: RootSetting;
}

const FORM = "NAME:ROOT,NAME:ROOT…, each ROOT as in root=";
/** A comma belongs to a root unless the next slot begins after it. */
const BETWEEN = /,(?=[A-Za-z0-9][\w.-]*:)/;

/** Parses rd.slots=, two to eight slots with different names. */
export function slots(value: string): readonly Slot[] {
  const found = value.split(BETWEEN).map(parseSlot);
  const names = new Set(found.map(({ name }) => name));
  if (names.size !== found.length) throw new Expected(`${FORM}, with different names`);
  if (found.length < 2 || found.length > MOST_SLOTS) throw new Expected(`${FORM}, from 2 to ${MOST_SLOTS} slots`);
  return found;
}

function parseSlot(text: string): Slot {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(0, colon));
  if (!SLOT_NAME.test(name)) throw new Expected(`${FORM}, each NAME of letters, digits, ".", "_" and "-"`);
  const spec = text.slice(colon + 1);
  return { name, text: spec, root: root(spec) };
}

/** rd.slots.tries= */
export const slotTries = (value: string): number => parseWhole(value, "a number of tries", 1, 99);
