import { loadFilesystemDriver } from "../drivers/loader.ts";
import { lookInto } from "../filesystems/brief-mount.ts";
import { isUuid } from "../formats/bytes.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";

/** The vendor GUID and the name are those of the Boot Loader Interface (UAPI group). */
const VARIABLE = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/** efivarfs puts the attributes before the value (fs/efivarfs/file.c). */
const ATTRIBUTES_BYTES = 4;

/** Returns the PARTUUID of the EFI system partition that the boot loader was started from; null if this machine was not booted by EFI, or its boot loader did not set the variable. */
export function readActiveEsp(machine: Machine, voice: Voice): string | null {
  if (machine.stat("/sys/firmware/efi/efivars")?.kind !== "directory") return null;
  loadFilesystemDriver(machine, "efivarfs", voice);
  try {
    const efivarfs = { source: "efivarfs", type: "efivarfs", options: "" };
    return lookInto(machine, efivarfs, (directory) => readVariable(machine, `${directory}/${VARIABLE}`));
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`cannot read the EFI variables, so levain searches for no root partition: ${describeRefusal(error)}`);
    return null;
  }
}

/** Returns null in the usual case: the boot loader does not set it. */
function readVariable(machine: Machine, path: string): string | null {
  return machine.stat(path) === null ? null : parseGuid(machine.readFile(path).subarray(ATTRIBUTES_BYTES));
}

/** Parses a GUID in UTF-16, with or without a NUL at its end; returns null for anything else. */
function parseGuid(value: Uint8Array): string | null {
  const text = new TextDecoder("utf-16le").decode(value).replace(/\0+$/, "");
  return isUuid(text) ? text.toLowerCase() : null;
}
