import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { problem } from "../../problems/problem.ts";
import { isVerified } from "../../storage/trust.ts";

type VerifiedPlan = Pick<BootPlan, "verity" | "checks">;

/** True if an image without a root hash or digest must not be a part of the root. */
export function requiresImageHashes({ verity: { images }, checks }: VerifiedPlan): boolean {
  return (
    (images !== null && !images.isBySidecar) || checks.digest !== null || checks.signedList !== null || checks.signature
  );
}

/** Throws BootError if the root has to be verified, and `device`, which would be a part of it (`part`), is not. */
export function requireVerified(
  machine: Machine,
  plan: VerifiedPlan,
  device: Pick<BlockDevice, "name" | "node">,
  part: "layer" | "usr" | "fstab" | "mount",
): void {
  const isStrict = plan.verity.root !== null || requiresImageHashes(plan);
  if (isStrict && !isVerified(machine, device)) throw problem("verity-part-outside", { outside: [device.node], part });
}
