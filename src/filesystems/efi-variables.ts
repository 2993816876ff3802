import { filesystemLoader } from "../drivers/loader.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno, orIfRefused, SyscallError, tolerateRefusal, unlessRefused } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { lookInto } from "./brief-mount.ts";
import { isMounted } from "./mounts.ts";

const EFIVARS = "/sys/firmware/efi/efivars";
/** efivarfs puts the attributes before the value (fs/efivarfs/file.c). */
const ATTRIBUTES_BYTES = 4;
/** EFI_VARIABLE_NON_VOLATILE, _BOOTSERVICE_ACCESS and _RUNTIME_ACCESS, little-endian. */
const KEPT_AT_RUNTIME = [7, 0, 0, 0];
/** A longer value is none that levain knows. */
const MOST_BYTES = 64 << 10;

/** True if this machine was booted by EFI. */
export function hasEfiVariables(machine: Machine): boolean {
  return machine.stat(EFIVARS)?.kind === "directory";
}

/**
 * Returns the value of an EFI variable, by its name with its vendor's GUID; null if it is not set, or this machine was not booted
 * by EFI. If the variables cannot be read, `loss` says in a warning what the boot lacks.
 */
export function readEfiVariable(machine: Machine, voice: Voice, name: string, loss: string): Uint8Array | null {
  if (!hasEfiVariables(machine)) return null;
  try {
    return withVariables(machine, voice, ["ro"], (directory) => readIn(machine, `${directory}/${name}`));
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`cannot read the EFI variables, so ${loss}: ${describeRefusal(error)}`);
    return null;
  }
}

/** Returns the value of a variable; null if it is not set or cannot be read. */
export type ReadVariable = (name: string) => Uint8Array | null;

/** Returns the bytes of the file in efivarfs that sets a variable. */
export function encodeEfiVariable(value: Uint8Array): Uint8Array {
  return Uint8Array.from([...KEPT_AT_RUNTIME, ...value]);
}

/**
 * Sets an EFI variable, which the firmware keeps, to what `change` makes of its value (null: it is not set); null leaves it as it is. It is
 * one call of SetVariable(): after a power cut the value is the old one or the new one. `read` reads another variable meanwhile: each mount has
 * the firmware list all of them. Throws SyscallError.
 */
export function changeEfiVariable(
  machine: Machine,
  voice: Voice,
  name: string,
  change: (before: Uint8Array | null, read: ReadVariable) => Uint8Array | null,
): void {
  withVariables(machine, voice, [], (directory) => {
    const path = `${directory}/${name}`;
    const isThere = machine.stat(path) !== null;
    const read: ReadVariable = (other) => orIfRefused(() => readIn(machine, `${directory}/${other}`), null);
    const value = change(isThere ? readIn(machine, path) : null, read);
    if (value === null) return;
    // Only variables that no firmware needs can be changed without this (efivar_variable_is_removable() of the kernel).
    if (isThere) tolerateRefusal(() => machine.allowChanges(path));
    unlessRefused(
      () => machine.writeFile(path, encodeEfiVariable(value)),
      ({ code }) => {
        throw new SyscallError("SetVariable", code, `the EFI variable ${name}`); // the mount is only ours, and gone
      },
    );
  });
}

/** In the real system efivarfs is mounted already, and a second mount would have its options. */
function withVariables<T>(machine: Machine, voice: Voice, flags: readonly "ro"[], use: (directory: string) => T): T {
  if (isMounted(machine, EFIVARS)) return use(EFIVARS);
  filesystemLoader(machine, voice).loadFilesystem("efivarfs");
  return lookInto(machine, { source: "efivarfs", type: "efivarfs", options: "", flags }, use);
}

function readIn(machine: Machine, path: string): Uint8Array | null {
  const status = machine.stat(path);
  if (status === null || status.size > MOST_BYTES) return null;
  return machine.readFile(path).subarray(ATTRIBUTES_BYTES);
}
