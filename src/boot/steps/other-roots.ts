import type { MountedDevice } from "../../filesystems/mount.ts";
import { mountTree } from "../../filesystems/mount-tree.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { nameRoot, type RootSource } from "../../plan/root.ts";
import { planBase, ROOT } from "../../stack/root-stack.ts";
import { BY_HAND, describeMounted, type Steps } from "./steps.ts";

type OtherRoot = Exclude<RootSource, { kind: "none" | "block" }>;

const NO_FACTS: MountedDevice["facts"] = {
  type: null,
  label: null,
  uuid: null,
  partitionTable: null,
  ambivalent: [],
};

/** Mounts a root that is no block device at its place in the stack; null if a user has mounted the root. */
export function mountOtherRoot(
  { step, rewind: _, ...rest }: Steps,
  plan: BootPlan,
  root: OtherRoot,
  isDoneByHand: () => boolean,
): MountedDevice | null {
  const name = nameRoot(root);
  step(
    "root",
    () => undefined,
    () => `${name}, without a block device`,
  );
  return step(
    "mount",
    (undo) => {
      if (isDoneByHand()) return null;
      const { source: target } = planBase(plan);
      const types = plan.rootTypes.length > 0 ? plan.rootTypes : [root.type];
      const writable = target === ROOT && plan.rootWritable;
      const { source } = root;
      const { rootOptions: options, rootTimeoutMs: timeoutMs } = plan;
      const type = mountTree({ ...rest, undo }, { types, source, target, writable, options, timeoutMs });
      return { node: name, facts: NO_FACTS, target, type, writable, isInside: false };
    },
    (done) => (done === null ? BY_HAND : describeMounted(done)),
  );
}
