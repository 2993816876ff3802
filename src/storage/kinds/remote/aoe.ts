import { listBlockDeviceNames } from "../../../devices/block-devices.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { RemotePlan } from "../../../plan/remote/plan.ts";
import { isErrno } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { describeRefusal, printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { createPauses, type Transport } from "./transport.ts";

/** AOE_MAJOR and the minors of drivers/block/aoe/aoechr.c. */
const MAJOR = 152;
const DIRECTORY = "/dev/etherd";
const FILES = { discover: 3, interfaces: 4 } as const;

/**
 * ATA over Ethernet: the driver finds targets by a broadcast. It sends one when it is loaded and every minute, so levain asks for
 * more: a switch may lose the first, and a server may start later.
 */
export function startAoe({ machine, drivers }: StorageContext, plan: NonNullable<RemotePlan["aoe"]>): Transport {
  const nextPause = createPauses();
  let dueMs = 0;
  let asked = 0;
  let refusal: string | null = null;
  const isAny = () => listBlockDeviceNames(machine).some((name) => name.startsWith("etherd!"));
  const where = printable(plan.interfaces.join(" and ") || "any interface");

  function discover(): void {
    if (asked === 0) {
      drivers.loadByName("aoe");
      if (plan.interfaces.length > 0) writeCommand(machine, "interfaces", plan.interfaces.join(" "));
    }
    // Any text starts a discovery.
    writeCommand(machine, "discover", "1");
    asked += 1;
    refusal = null;
  }

  return {
    advance() {
      dueMs = machine.nowMs() + nextPause();
      try {
        discover();
      } catch (error) {
        if (!isErrno(error)) throw error;
        refusal = describeRefusal(error);
      }
      return false;
    },
    dueMs: () => dueMs,
    seen() {
      if (refusal !== null) return `AoE cannot be used: ${refusal}`;
      return isAny() ? null : `no AoE target has answered on ${where}`;
    },
    problem() {
      if (isAny()) return null;
      const error = problem("aoe-no-target", { where, asked, refusal });
      return { error, isFatal: false, isCause: true };
    },
  };
}

/** Writes to a file of the driver, which has its node from the kernel, unless that has no devtmpfs. */
function writeCommand(machine: Machine, name: keyof typeof FILES, text: string): void {
  const path = `${DIRECTORY}/${name}`;
  if (machine.stat(path) === null) {
    machine.makeDirectory(DIRECTORY);
    machine.makeNode(path, "character", MAJOR, FILES[name], 0o220);
  }
  machine.writeFile(path, text);
}
