import { isUuid } from "../formats/bytes.ts";
import { partitionOfLoadOption } from "../formats/efi/load-option.ts";
import type { Machine } from "../machine/machine.ts";
import type { Voice } from "../problems/voice.ts";
import { readEfiVariable } from "./efi-variables.ts";

/** The vendor GUID and the name are those of the Boot Loader Interface (UAPI group). */
const ACTIVE_ESP = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/** EFI_GLOBAL_VARIABLE (UEFI specification, 3.3). */
const GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

/** Returns the PARTUUID of the EFI system partition that the boot loader was started from; null in the usual case, that it does not say. */
export function readActiveEsp(machine: Machine, voice: Voice): string | null {
  const value = readEfiVariable(machine, voice, ACTIVE_ESP, "levain searches for no root partition");
  return value === null ? null : parseGuid(value);
}

/** Returns the same, or else the PARTUUID of the partition that the firmware has booted from, as its variable BootCurrent says; null if neither says it. */
export function readBootedEsp(machine: Machine, voice: Voice): string | null {
  const read = (name: string) => readEfiVariable(machine, voice, name, "no log is saved on the ESP");
  const value = read(ACTIVE_ESP);
  const said = value === null ? null : parseGuid(value);
  const current = said === null ? read(`BootCurrent-${GLOBAL}`) : null;
  if (current?.length !== 2) return said;
  const number = new DataView(current.buffer, current.byteOffset).getUint16(0, true);
  const option = read(`Boot${number.toString(16).toUpperCase().padStart(4, "0")}-${GLOBAL}`);
  return option === null ? null : partitionOfLoadOption(option);
}

/** Parses a GUID in UTF-16, with or without a NUL at its end; returns null for anything else. */
function parseGuid(value: Uint8Array): string | null {
  const text = new TextDecoder("utf-16le").decode(value).replace(/\0+$/, "");
  return isUuid(text) ? text.toLowerCase() : null;
}
