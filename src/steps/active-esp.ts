import { isErrno } from "../errors.ts";
import type { Machine } from "../machine/machine.ts";
import { describeRefusal } from "../report.ts";
import type { Voice } from "../voice.ts";
import { loadFilesystemDriver } from "./modules.ts";
import { PLACES } from "./places.ts";

/** The variables of EFI boot loaders: the vendor GUID and the name are the Boot Loader Interface's (UAPI group). */
const VARIABLE = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/** efivarfs puts the attributes before the value (fs/efivarfs/file.c). */
const ATTRIBUTES_BYTES = 4;

/** The PARTUUID of the EFI system partition that the boot loader was started from; null where this machine was not booted by EFI, or its boot loader did not say so. */
export function readActiveEsp(machine: Machine, voice: Voice): string | null {
  if (machine.stat("/sys/firmware/efi/efivars")?.kind !== "directory") return null;
  try {
    loadFilesystemDriver(machine, "efivarfs", voice);
    machine.makeDirectory(PLACES.search);
    machine.mount({ source: "efivarfs", target: PLACES.search, type: "efivarfs", flags: ["ro"], options: "" });
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`the EFI variables cannot be read, so no root partition is looked for: ${describeRefusal(error)}`);
    return null;
  }
  try {
    return parseGuid(machine.readFile(`${PLACES.search}/${VARIABLE}`).subarray(ATTRIBUTES_BYTES));
  } catch (error) {
    if (isErrno(error)) return null; // the usual case: this boot loader does not tell
    throw error;
  } finally {
    machine.unmount(PLACES.search);
  }
}

/** A GUID as text in UTF-16, with or without a NUL at its end; null for anything else. */
function parseGuid(value: Uint8Array): string | null {
  const text = new TextDecoder("utf-16le").decode(value).replace(/\0+$/, "");
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : null;
}
