import { accessSync, constants } from "node:fs";
import { findTool } from "../tool.ts";
import { type Architecture, MACHINES, OWN_ARCHITECTURE } from "./machines.ts";

/** What executes a guest's code. */
export type Accelerator = "kvm" | "tcg";

const DEVICE = "/dev/kvm";

/** Returns "kvm" if a virtual machine can be made with it; /dev/kvm may exist where the CPU, the hypervisor or a permission forbids that. */
export function chooseAccelerator(architecture: Architecture): Accelerator {
  if (architecture !== OWN_ARCHITECTURE) return "tcg";
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  const argv = [
    findTool(MACHINES[architecture].program, "start a guest"),
    "-accel",
    "kvm",
    "-machine",
    "none",
    "-nodefaults",
  ];
  const { exitCode } = Bun.spawnSync([...argv, "-display", "none", "-monitor", "stdio"], {
    stdin: new TextEncoder().encode("quit\n"),
    stdout: "ignore",
    stderr: "ignore",
  });
  return exitCode === 0 ? "kvm" : "tcg";
}
