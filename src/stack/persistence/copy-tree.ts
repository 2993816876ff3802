import type { Context } from "../../drivers/context.ts";
import { printable } from "../../problems/report.ts";

/** Copies a directory with all files, directories and symbolic links below it, their owners, permissions and labels. Devices, pipes and sockets are left out, with a warning: programs make them when they start. */
export function copyTree({ machine, voice }: Pick<Context, "machine" | "voice">, from: string, to: string): void {
  machine.makeDirectory(to);
  for (const name of machine.listDirectory(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    const kind = machine.lstat(source)?.kind;
    if (kind === "directory") copyTree({ machine, voice }, source, target);
    else if (kind === "symlink") machine.makeSymlink(machine.readLink(source), target);
    else if (kind === "file") {
      machine.copyFile(source, target);
      machine.copyAttributes(source, target);
    } else voice.warn(`${printable(source)} is a ${kind} and is not copied`);
  }
  machine.copyAttributes(from, to);
}
