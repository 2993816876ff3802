import type { Machine } from "../machine/machine.ts";

/** The commands of the rescue shell, in the order in which a person may need them. */
export const RESCUE_COMMANDS = [
  ...["menu", "status", "devices", "log", "doctor", "plan", "set", "unlock", "mount", "retry"],
  ...["save-log", "reboot", "poweroff"],
] as const;

/**
 * Puts a program for each command into a directory of the path, levain-status and so on: BusyBox's shell completes the names of programs
 * with the tab key, but no arguments (complete_cmd_dir_file of libbb/lineedit.c). Throws SyscallError.
 */
export function installCompletion(machine: Machine, directory: string): void {
  const tree = machine.openTree(directory, "as mounted");
  try {
    for (const name of RESCUE_COMMANDS) {
      const file = `levain-${name}`;
      machine.writeFile(`${directory}/${file}`, `#!/bin/sh\nexec levain ${name} "$@"\n`);
      tree.setAccess(file, { userId: 0, groupId: 0, mode: 0o755 });
    }
  } finally {
    tree.close();
  }
}
