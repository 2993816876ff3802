import type { MountedDevice } from "../../filesystems/mount.ts";
import { mountTree } from "../../filesystems/mount-tree.ts";
import { downloadToMemory } from "../../network/fetch/to-memory.ts";
import { mountNfs } from "../../network/nfs/mount-nfs.ts";
import { locateNfs } from "../../network/nfs/place.ts";
import type { NetworkUp } from "../../network/up.ts";
import { formatNfs } from "../../parameters/sources/nfs-source.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { nameRoot, type RootSource } from "../../plan/root.ts";
import { problem } from "../../problems/problem.ts";
import { planBase, ROOT } from "../../stack/root-stack.ts";
import { requiresImageHashes } from "../../stack/verify/require-verified.ts";
import { BY_HAND, describeMounted, type Steps } from "./steps.ts";

type RootOf<Kind> = Extract<RootSource, { kind: Kind }>;
/** What mounts need; `network` is null if it is not up. */
type Tools = Omit<Steps, "rewind"> & { readonly network: NetworkUp | null };

/** What is known of a filesystem without a superblock. */
const UNKNOWN: Pick<MountedDevice, "superblock" | "facts" | "isInside"> = {
  facts: { type: null, label: null, uuid: null, partitionTable: null, ambivalent: [] },
  isInside: false,
  superblock: null,
};

/** Mounts a root that is no block device at its place in the stack; null if a user has mounted the root. */
export function mountOtherRoot(
  steps: Steps & Pick<Tools, "network">,
  plan: BootPlan,
  root: RootOf<"tree" | "download" | "nfs" | "dhcp">,
  isDoneByHand: () => boolean,
): MountedDevice | null {
  const { rewind: _, ...tools } = steps;
  switch (root.kind) {
    case "tree":
      return mountByName(tools, plan, root, isDoneByHand);
    case "nfs":
      return mountFromServer(tools, plan, root, isDoneByHand);
    case "download":
      return fetchRoot(tools, plan, root, isDoneByHand);
    case "dhcp":
      throw problem("no-root-path", { servers: [] }); // the step `network` has replaced it
  }
}

function mountFromServer(
  { step, network, ...rest }: Tools,
  plan: BootPlan,
  root: RootOf<"nfs">,
  isDoneByHand: () => boolean,
): MountedDevice | null {
  const place = step(
    "root",
    // Of two options that contradict each other, the later counts: that of rootflags=, not that of DHCP.
    () => locateNfs({ ...root, options: joinOptions(root.options, plan.rootOptions) }, network),
    (found) => `nfs:${formatNfs(found)}, without a block device`,
  );
  return step(
    "mount",
    (undo) => {
      if (isDoneByHand()) return null;
      const { source: target } = planBase(plan);
      const isWritable = target === ROOT && plan.rootWritable;
      const { rootTimeoutMs: timeoutMs } = plan;
      const clientId = network?.interfaces[0]?.mac ?? null;
      const task = { place, target, isWritable, timeoutMs, clientId };
      const type = mountNfs({ ...rest, undo }, task);
      return { ...UNKNOWN, node: formatNfs(place), target, type, writable: isWritable };
    },
    (done) => (done === null ? BY_HAND : describeMounted(done)),
  );
}

function joinOptions(...all: readonly string[]): string {
  return all.filter((options) => options !== "").join(",");
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
  { step, network, ...rest }: Tools,
  plan: BootPlan,
  download: RootOf<"download">,
  isDoneByHand: () => boolean,
): MountedDevice | null {
  const { source: directory } = planBase(plan);
  const fetched = step(
    "root",
    (undo) => {
      if (isDoneByHand()) return null;
      const { digest, signedList } = plan.checks;
      const isVerified = requiresImageHashes(plan);
      const { timeServers = [] } = network ?? {};
      const order = { download, digest, signedList, isVerified, directory, timeoutMs: plan.rootTimeoutMs, timeServers };
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
