import { isUuid } from "../formats/bytes.ts";
import { type HibernateLocation, parseHibernateLocation } from "../formats/hibernation/location.ts";
import type { Machine } from "../machine/machine.ts";
import type { Voice } from "../problems/voice.ts";
import { readEfiVariable } from "./efi-variables.ts";

/** The vendor GUID and the name are those of the Boot Loader Interface (UAPI group). */
const ACTIVE_ESP = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/** The vendor GUID is systemd's (SD_ID128_MAKE of its efivars.h). */
const HIBERNATION = "HibernateLocation-8cf2644b-4b0b-428f-9387-6d876050dc67";

/** Returns the PARTUUID of the EFI system partition that the boot loader was started from; null in the usual case, that it does not say. */
export function readActiveEsp(machine: Machine, voice: Voice): string | null {
  const value = readEfiVariable(machine, voice, ACTIVE_ESP, "levain searches for no root partition");
  return value === null ? null : parseGuid(value);
}

/** Returns where systemd says that it has hibernated; null if it does not, or says it in a way that levain does not understand. */
export function readHibernateLocation(machine: Machine, voice: Voice): HibernateLocation | null {
  const value = readEfiVariable(machine, voice, HIBERNATION, "a system that systemd hibernated is not resumed");
  if (value === null) return null;
  const location = parseHibernateLocation(value);
  if (location === null)
    voice.warn("the EFI variable HibernateLocation does not name a device and an offset, ignoring it");
  return location;
}

/** Parses a GUID in UTF-16, with or without a NUL at its end; returns null for anything else. */
function parseGuid(value: Uint8Array): string | null {
  const text = new TextDecoder("utf-16le").decode(value).replace(/\0+$/, "");
  return isUuid(text) ? text.toLowerCase() : null;
}
