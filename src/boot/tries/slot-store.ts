import { describeDevice } from "../../devices/block-devices.ts";
import { hasEfiVariables, readEfiVariable, writeEfiVariable } from "../../filesystems/efi-variables.ts";
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
 * whoever plugs in a stick must not choose a slot. Throws BootError if that is not there.
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

/** Reads the state; of a place that has none yet, an empty one. Throws BootError, SyscallError. */
export function readSlotState(machine: Machine, voice: Voice, place: SlotPlace): SlotState {
  if (place !== null) return readCopies(machine, place).state;
  const value = readEfiVariable(machine, voice, SLOT_VARIABLE, "the tries of the slots are not counted");
  const state = value === null ? NO_SLOT_STATE : parseSlotState(value);
  if (state === null)
    voice.warn(`the EFI variable ${SLOT_VARIABLE} is not as levain writes it: counting from the start`);
  return state ?? NO_SLOT_STATE;
}

/** Writes the state so that a power cut at any moment leaves the old one or the new one. Throws BootError, SyscallError. */
export function writeSlotState(machine: Machine, voice: Voice, place: SlotPlace, state: SlotState): void {
  if (place === null) {
    writeEfiVariable(machine, voice, SLOT_VARIABLE, encodeSlotState(state));
    return;
  }
  const { sequence, nextOffset } = readCopies(machine, place);
  machine.writeDevice(place, nextOffset, encodeSlotCopy(state, sequence));
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
