import { orIfRefused } from "../problems/errors.ts";
import type { Files } from "./machine.ts";

/** Reads a small text file of the kernel, without the newline at its end. */
export function readText(machine: Pick<Files, "readFile">, path: string): string {
  return new TextDecoder().decode(machine.readFile(path)).trimEnd();
}

/** Reads a file; a missing one is empty. */
export function bytesOrNone(machine: Pick<Files, "readFile">, path: string): Uint8Array {
  return orIfRefused(() => machine.readFile(path), new Uint8Array(), "ENOENT", "ENOTDIR");
}

/** Reads a text file as it is; a missing one is empty. */
export function textOrNone(machine: Pick<Files, "readFile">, path: string): string {
  return new TextDecoder().decode(bytesOrNone(machine, path));
}

/** Lists a directory; a missing one is empty. */
export function listOrNone(machine: Pick<Files, "listDirectory">, directory: string): readonly string[] {
  return orIfRefused(() => machine.listDirectory(directory), [], "ENOENT", "ENOTDIR", "ELOOP");
}

const readMemory = (name: "MemAvailable" | "MemTotal") => (machine: Pick<Files, "readFile">) => {
  const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(textOrNone(machine, "/proc/meminfo"))?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
};

/** Returns the bytes that can be allocated without swapping (MemAvailable of proc_meminfo(5)), or null if the kernel does not say. */
export const readAvailableMemory = readMemory("MemAvailable");
/** Returns the bytes of memory that the kernel has, or null if it does not say. */
export const readTotalMemory = readMemory("MemTotal");
