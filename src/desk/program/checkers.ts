import { basename } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { findEntry, type ImageTree } from "../archive/tree.ts";
import { isElf, readElf } from "./elf.ts";

/** Where the boot looks for the program that checks a filesystem (src/filesystems/check.ts). */
const CHECKER = /^\/(?:usr\/)?s?bin\/fsck\.[a-z0-9]+$/;
/** The boot links it to BusyBox, which the builder checks. */
const SHELL = "/bin/sh";

/** Throws BootError if a checker of the image could not be started in it: the root would go unchecked at every boot. */
export function refuseBrokenCheckers(tree: ImageTree): void {
  for (const path of [...tree.keys()].filter((each) => CHECKER.test(each))) {
    const reason = findFault(tree, path);
    if (reason === null) continue;
    throw new BootError(`the image's ${path} cannot be started: ${reason}`, {
      hint: `add a program with its libraries: --program ${path}; a script needs its interpreter, too`,
    });
  }
}

function findFault(tree: ImageTree, path: string): string | null {
  const entry = findEntry(tree, path);
  if (entry?.kind !== "file") return "it is a link to something that the image does not have";
  if ((entry.mode & 0o111) === 0) return "it is not executable";
  const bytes = Buffer.concat([...entry.content.chunks()]);
  const interpreter = /^#! *(\S+)/.exec(bytes.subarray(0, 256).toString("latin1"))?.[1];
  if (interpreter !== undefined) return hasInterpreter(tree, interpreter) ? null : lacks(interpreter);
  if (!isElf(bytes)) return "it is neither a script nor an ELF file";
  const elf = readElf(bytes, path);
  if (elf.interpreter !== null && findEntry(tree, elf.interpreter) === undefined) return lacks(elf.interpreter);
  const names = new Set([...tree.keys()].map((each) => basename(each)));
  const missing = elf.needed.find((name) => !names.has(basename(name)));
  return missing === undefined ? null : lacks(missing);
}

function hasInterpreter(tree: ImageTree, path: string): boolean {
  return findEntry(tree, path)?.kind === "file" || (path === SHELL && findEntry(tree, "/bin/busybox") !== undefined);
}

function lacks(what: string): string {
  return `the image lacks ${what}`;
}
