import type { MountedDevice } from "../../filesystems/mount.ts";
import { mountTree } from "../../filesystems/mount-tree.ts";
import { downloadToMemory } from "../../network/fetch/to-memory.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { nameRoot, type RootSource } from "../../plan/root.ts";
import { planBase, ROOT } from "../../stack/root-stack.ts";
import { requiresImageHashes } from "../../stack/verify/require-verified.ts";
import { BY_HAND, describeMounted, type Steps } from "./steps.ts";

type RootOf<Kind> = Extract<RootSource, { kind: Kind }>;
type Tools = Omit<Steps, "rewind">;

/** What is known of a filesystem without a superblock. */
const UNKNOWN: Pick<MountedDevice, "superblock" | "facts" | "isInside"> = {
  facts: { type: null, label: null, uuid: null, partitionTable: null, ambivalent: [] },
  isInside: false,
  superblock: null,
};

/** Mounts a root that is no block device at its place in the stack; null if a user has mounted the root. */
export function mountOtherRoot(
  steps: Steps,
  plan: BootPlan,
  root: RootOf<"tree" | "download">,
  isDoneByHand: () => boolean,
): MountedDevice | null {
  const { rewind: _, ...tools } = steps;
  return root.kind === "tree"
    ? mountByName(tools, plan, root, isDoneByHand)
    : fetchRoot(tools, plan, root, isDoneByHand);
}

function mountByName(
  { step, ...rest }: Tools,
  plan: BootPlan,
  root: RootOf<"tree">,
  isDoneByHand: () => boolean,
): MountedDevice | null {
  const node = nameRoot(root);
  step(
    "root",
    () => undefined,
    () => `${node}, without a block device`,
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
      return { ...UNKNOWN, node, target, type, writable };
    },
    (done) => (done === null ? BY_HAND : describeMounted(done)),
  );
}

/** Downloads the image: the tmpfs with it takes the place of a medium. */
function fetchRoot(
  { step, ...rest }: Tools,
  plan: BootPlan,
  download: RootOf<"download">,
  isDoneByHand: () => boolean,
): MountedDevice | null {
  const { source: directory } = planBase(plan);
  const fetched = step(
    "root",
    (undo) => {
      if (isDoneByHand()) return null;
      const { digest } = plan.checks;
      const isVerified = requiresImageHashes(plan);
      const order = { download, digest, isVerified, directory, timeoutMs: plan.rootTimeoutMs };
      return downloadToMemory({ ...rest, undo }, order);
    },
    (text) => text ?? BY_HAND,
  );
  return step(
    "mount",
    () => {
      if (fetched === null || isDoneByHand()) return null;
      return { ...UNKNOWN, node: "tmpfs", target: directory, type: "tmpfs", writable: true };
    },
    (done) => (done === null ? BY_HAND : `the download is in memory, at ${done.target}`),
  );
}
