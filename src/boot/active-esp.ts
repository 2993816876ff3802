import { readEfiVariable } from "../filesystems/efi-variables.ts";
import { isUuid } from "../formats/bytes.ts";
import type { Machine } from "../machine/machine.ts";
import type { Voice } from "../problems/voice.ts";

/** The vendor GUID and the name are those of the Boot Loader Interface (UAPI group). */
const ACTIVE_ESP = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/** Returns the PARTUUID of the EFI system partition that the boot loader was started from; null in the usual case, that it does not say. */
export function readActiveEsp(machine: Machine, voice: Voice): string | null {
  const value = readEfiVariable(machine, voice, ACTIVE_ESP, "levain searches for no root partition");
  return value === null ? null : parseGuid(value);
}

/** Parses a GUID in UTF-16, with or without a NUL at its end; returns null for anything else. */
function parseGuid(value: Uint8Array): string | null {
  const text = new TextDecoder("utf-16le").decode(value).replace(/\0+$/, "");
  return isUuid(text) ? text.toLowerCase() : null;
}
