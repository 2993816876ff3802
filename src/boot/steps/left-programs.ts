import type { Context } from "../../drivers/context.ts";
import { type MountEntry, readMounts } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { isErrno } from "../../problems/errors.ts";
import { describeRefusal } from "../../problems/report.ts";

type Steps = Pick<Context, "machine" | "voice" | "undo">;
type HandoverPlan = BootPlan["handover"];

/** systemd-shutdown(8) makes this directory the root and executes the program in it. */
const EXIT_PROGRAM = { directory: "/run/initramfs", name: "shutdown" };
const COMMAND = { directory: "/run/levain/bin", name: "levain" };
const OWN_PROGRAM = "/proc/self/exe";

/** Devices that are made of others, by the nodes that levain mounts. */
const MADE_DEVICE = /^\/dev\/(?:loop|dm-|mapper\/|md)/;
/** Where a place on a disk that keeps changes is mounted. */
const STORE = /^\/run\/levain\/store/;

/** Leaves programs in /run that the real system may use later: the one that takes the root apart at power-off, and levain itself. That one cannot be left stops no boot. */
export function leavePrograms(steps: Steps, plan: HandoverPlan): void {
  const exitProgram = needsExitProgram(steps.machine, plan) ? steps.machine.exitProgram() : null;
  if (exitProgram !== null) {
    const write = (path: string) => steps.machine.writeFile(path, exitProgram);
    leave(steps, { ...EXIT_PROGRAM, write, loss: "the medium may not be clean after power-off" });
  }
  if (!plan.keepCommand) return;
  const write = (path: string) => steps.machine.copyFile(OWN_PROGRAM, path);
  leave(steps, { ...COMMAND, write, loss: "the command levain is not kept" });
}

interface LeftProgram {
  readonly directory: string;
  readonly name: string;
  readonly write: (path: string) => void;
  /** What the user goes without if it cannot be left. */
  readonly loss: string;
}

function leave({ machine, voice, undo }: Steps, { directory, name, write, loss }: LeftProgram): void {
  const path = `${directory}/${name}`;
  try {
    machine.makeDirectory(directory);
    write(path);
    undo(() => machine.removeFile(path));
    const tree = machine.openTree(directory, "as mounted");
    tree.setAccess(name, { userId: 0, groupId: 0, mode: 0o755 });
    tree.close();
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`${loss}: could not write ${path}: ${describeRefusal(error)}`);
  }
}

function needsExitProgram(machine: Machine, { exitProgram }: HandoverPlan): boolean {
  return exitProgram === "auto" ? readMounts(machine).some(isMadeOfOthers) : exitProgram === "yes";
}

function isMadeOfOthers({ source, target }: MountEntry): boolean {
  return MADE_DEVICE.test(source) || STORE.test(target);
}
