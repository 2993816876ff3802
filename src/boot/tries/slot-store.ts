import { describeDevice } from "../../devices/block-devices.ts";
import { changeEfiVariable, hasEfiVariables, type ReadVariable } from "../../filesystems/efi-variables.ts";
import {
  COPY_BYTES,
  COPY_OFFSETS,
  encodeSlotCopy,
  encodeSlotState,
  NO_SLOT_STATE,
  parseSlotCopies,
  parseSlotState,
  type SlotCopies,
  type SlotState,
} from "../../formats/slots/state.ts";
import type { Machine } from "../../machine/machine.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import { orIfRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import type { Voice } from "../../problems/voice.ts";
import { matchNamed, readDevicesFor } from "../../storage/named/named-device.ts";
import { specText } from "../../storage/search-words.ts";

/** Where the state of the slots is kept: the node of a partition, or null for the EFI variable. */
export type SlotPlace = string | null;

/** levain's own variable; the vendor GUID was drawn for it. */
export const SLOT_VARIABLE = "LevainSlots-a398406c-8d80-463c-afa2-dff69f6cfaaf";
const END = (COPY_OFFSETS[1] ?? 0) + COPY_BYTES;

/**
 * Returns where the state is kept: on the partition that rd.slots.state= names, else in the firmware. Nothing else is looked for:
 * a plugged-in stick must not select the slot. Throws BootError if that is not there.
 */
export function findSlotPlace(machine: Machine, spec: DeviceSpec | null): SlotPlace {
  if (spec === null) {
    if (hasEfiVariables(machine)) return null;
    throw problem("slots-without-place", { spec: null });
  }
  const [device, ...others] = matchNamed(machine, spec, readDevicesFor(machine, spec));
  if (device === undefined) throw problem("slots-without-place", { spec: specText(spec) });
  if (others.length > 0) {
    throw problem("slots-ambiguous", { spec: specText(spec), nodes: [device, ...others].map(({ node }) => node) });
  }
  if (device.facts.type !== null || device.sizeBytes < END) {
    throw problem("slots-place-in-use", { device: describeDevice(device) });
  }
  return device.node;
}

/**
 * Changes the state to what `change` makes of it; null leaves it as it is. A power cut at any moment leaves the old one or the new one.
 * A place that has none yet has an empty one. `read` reads other variables of the firmware; null if the state is not kept there. Throws BootError, SyscallError.
 */
export function changeSlotState(
  machine: Machine,
  voice: Voice,
  place: SlotPlace,
  change: (state: SlotState, read: ReadVariable | null) => SlotState | null,
): void {
  if (place === null) {
    changeEfiVariable(machine, voice, SLOT_VARIABLE, (value, read) => {
      const state = change(parseVariable(value, voice), read);
      return state === null ? null : encodeSlotState(state);
    });
    return;
  }
  const { state: before, sequence, nextOffset } = readCopies(machine, place);
  const state = change(before, null);
  if (state !== null) machine.writeDevice(place, nextOffset, encodeSlotCopy(state, sequence));
}

function parseVariable(value: Uint8Array | null, voice: Voice): SlotState {
  const state = value === null ? NO_SLOT_STATE : parseSlotState(value);
  if (state === null)
    voice.warn(`the EFI variable ${SLOT_VARIABLE} is not as levain writes it: counting from the start`);
  return state ?? NO_SLOT_STATE;
}

function readCopies(machine: Machine, node: string): SlotCopies {
  const reader = machine.openReader(node);
  try {
    const copies = COPY_OFFSETS.map((offset) => orIfRefused(() => reader.read(offset, COPY_BYTES), null));
    const found = parseSlotCopies(copies);
    if (found === null) throw problem("slots-place-in-use", { device: node });
    return found;
  } finally {
    reader.close();
  }
}
