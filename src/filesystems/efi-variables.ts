import { filesystemLoader } from "../drivers/loader.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { lookInto } from "./brief-mount.ts";

/** efivarfs puts the attributes before the value (fs/efivarfs/file.c). */
const ATTRIBUTES_BYTES = 4;
/** A longer value is none that levain knows. */
const MOST_BYTES = 64 << 10;

/**
 * Returns the value of an EFI variable, by its name with its vendor's GUID; null if it is not set, or this machine was not booted
 * by EFI. If the variables cannot be read, `loss` says in a warning what the boot lacks.
 */
export function readEfiVariable(machine: Machine, voice: Voice, name: string, loss: string): Uint8Array | null {
  if (machine.stat("/sys/firmware/efi/efivars")?.kind !== "directory") return null;
  filesystemLoader(machine, voice).loadFilesystem("efivarfs");
  try {
    const efivarfs = { source: "efivarfs", type: "efivarfs", options: "" };
    return lookInto(machine, efivarfs, (directory) => readIn(machine, `${directory}/${name}`));
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`cannot read the EFI variables, so ${loss}: ${describeRefusal(error)}`);
    return null;
  }
}

function readIn(machine: Machine, path: string): Uint8Array | null {
  const status = machine.stat(path);
  if (status === null || status.size > MOST_BYTES) return null;
  return machine.readFile(path).subarray(ATTRIBUTES_BYTES);
}
