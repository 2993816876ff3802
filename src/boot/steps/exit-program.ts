import type { Context } from "../../drivers/context.ts";
import { type MountEntry, readMounts } from "../../filesystems/mounts.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { isErrno } from "../../problems/errors.ts";
import { describeRefusal } from "../../problems/report.ts";

/** systemd-shutdown(8) makes this directory the root and executes the program in it. */
const DIRECTORY = "/run/initramfs";
const PROGRAM = "shutdown";
/** Devices that are made of others, by the nodes that levain mounts. */
const MADE_DEVICE = /^\/dev\/(?:loop|dm-|mapper\/|md)/;
/** Where a place on a disk that keeps changes is mounted. */
const STORE = /^\/run\/levain\/store/;

/** Leaves the program that takes the root apart at power-off, if the plan or the mounts ask for it. That it cannot be left stops no boot. */
export function placeExitProgram(
  { machine, voice, undo }: Pick<Context, "machine" | "voice" | "undo">,
  { exitProgram }: BootPlan["handover"],
): void {
  if (exitProgram === "no" || (exitProgram === "auto" && !readMounts(machine).some(needsProgram))) return;
  const program = machine.exitProgram();
  if (program === null) return;
  try {
    machine.makeDirectory(DIRECTORY);
    machine.writeFile(`${DIRECTORY}/${PROGRAM}`, program);
    undo(() => machine.removeFile(`${DIRECTORY}/${PROGRAM}`));
    const tree = machine.openTree(DIRECTORY, "as mounted");
    tree.setAccess(PROGRAM, { userId: 0, groupId: 0, mode: 0o755 });
    tree.close();
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(
      `the medium may not be clean after power-off: could not write the exit program: ${describeRefusal(error)}`,
    );
  }
}

function needsProgram({ source, target }: MountEntry): boolean {
  return MADE_DEVICE.test(source) || STORE.test(target);
}
