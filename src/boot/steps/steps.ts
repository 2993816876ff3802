import type { Context } from "../../drivers/context.ts";
import type { MountedDevice } from "../../filesystems/mount.ts";
import type { StepName } from "../../parameters/values.ts";
import { ROOT } from "../../stack/root-stack.ts";
import type { RunStep } from "../step-runner.ts";

/** A context without the undo, which each step has of its own, and what runs the steps. */
export interface Steps extends Omit<Context, "undo"> {
  /** Runs a step once, however often the boot is retried. */
  readonly step: RunStep;
  /** Forgets every step from `name` on and reverts what they did. */
  readonly rewind: (name: StepName) => void;
}

/** The line of a step that a user has done. */
export const BY_HAND = `what was mounted by hand at ${ROOT}`;

/** Returns the line of the step that has mounted the root. */
export function describeMounted({ node, type, target, writable }: MountedDevice): string {
  return `${node} ${type} at ${target}, ${writable ? "writable" : "read-only"}`;
}
