import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { checkFilesystem } from "../../filesystems/check.ts";
import { FSTAB, readFstab } from "../../filesystems/fstab.ts";
import { type MountedDevice, mountDevice } from "../../filesystems/mount.ts";
import { isMounted } from "../../filesystems/mounts.ts";
import type { NetworkUp } from "../../network/up.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { RootSource } from "../../plan/root.ts";
import { cryptForRoot } from "../../plan/stack/overlay.ts";
import { BootError } from "../../problems/errors.ts";
import { headline } from "../../problems/report.ts";
import { showPrevious } from "../../rescue/saved-log/previous.ts";
import { type StackedRoot, stackRoot } from "../../stack/layers.ts";
import { mergedPlace, planBase, ROOT } from "../../stack/root-stack.ts";
import { mountSubmounts } from "../../stack/submounts/mount-submounts.ts";
import { planSubmounts } from "../../stack/submounts/submount.ts";
import { describeAttached } from "../../storage/attach.ts";
import type { Tries } from "../../storage/contract.ts";
import { type AttachedPart, attachUnlessHibernated } from "../../storage/resume/firmware.ts";
import { guardMount } from "../../storage/resume/guard.ts";
import { liesInVolume } from "../../storage/trust.ts";
import { mountOtherRoot } from "./other-roots.ts";
import { BY_HAND, describeMounted, type Steps } from "./steps.ts";

/** What a user has done is not known. */
const STACKED_BY_HAND: StackedRoot = { text: BY_HAND, node: null, isInside: null };

type ExistingRoot = Exclude<RootSource, { kind: "none" }>;

/** Finds, mounts and stacks the root, and mounts what belongs below it. If the user of a rescue shell has mounted one at /sysroot, the boot uses that and skips the rest of these steps. */
export function attachAndStack(steps: Steps, plan: BootPlan, root: ExistingRoot, network: NetworkUp | null): void {
  const isDoneByHand = () => isMounted(steps.machine, ROOT);
  const seen: BlockDevice[] = [];
  const mounted =
    root.kind === "block"
      ? attachAndMount(steps, { ...plan, crypt: cryptForRoot(plan) }, root.devices, { isDoneByHand, seen })
      : mountOtherRoot({ ...steps, network }, plan, root, isDoneByHand);
  const stacked = steps.step(
    "layers",
    (undo) => {
      const isByHand = mounted === null || (mounted.target !== ROOT && isDoneByHand());
      return isByHand ? STACKED_BY_HAND : stackRoot({ ...steps, undo }, plan, mounted);
    },
    ({ text }) => text,
  );
  steps.step(
    "subtrees",
    (undo) => mountBelow({ ...steps, undo }, plan, stacked),
    (subtrees) => subtrees,
  );
  showPrevious(steps, plan.rescue, seen);
}

/** Mounts /usr, the lines of /etc/fstab that the root needs before init, and unions. Returns what was mounted, in words; an empty text for nothing. */
function mountBelow(context: Context, plan: BootPlan, stacked: StackedRoot): string {
  const { machine, voice } = context;
  const fstab = plan.submounts.fstab ? readFstab(machine, mergedPlace(plan)) : [];
  if (fstab === null) voice.warn(`${FSTAB} of the root cannot be read or is too long, ignoring it`);
  return mountSubmounts(context, plan, planSubmounts(plan, fstab ?? []), stacked);
}

/** Finds and mounts the root. If only a mount proves that a device was opened correctly, and it fails, the user is asked again. */
function attachAndMount(
  { step, rewind, ...rest }: Steps,
  plan: BootPlan,
  roots: readonly DeviceSpec[],
  { isDoneByHand, seen }: { readonly isDoneByHand: () => boolean; readonly seen: BlockDevice[] },
): MountedDevice | null {
  const tries: Tries = new Map();
  const wish = { ...plan, roots, verity: plan.verity.root === null ? [] : [plan.verity.root] };
  for (;;) {
    const attached = step(
      "root",
      (undo) => (isDoneByHand() ? null : attachUnlessHibernated({ ...rest, undo }, plan, wish, { tries })),
      (found) => (found === null ? BY_HAND : describeAttached(found)),
    );
    seen.splice(0, seen.length, ...(attached?.seen ?? []));
    try {
      return step(
        "mount",
        (undo) => (attached === null || isDoneByHand() ? null : mountRoot({ ...rest, undo }, plan, attached)),
        (done) => (done === null ? BY_HAND : describeMounted(done)),
      );
    } catch (error) {
      const doubt = attached?.doubt ?? null;
      if (doubt === null || !(error instanceof BootError)) throw error;
      rest.voice.warn(`${headline(error)}: ${doubt}, asking again`);
      rewind("root");
    }
  }
}

/** Mounts the root device at its place in the stack. It is checked first only if it is the root itself: nothing else is ever written. */
function mountRoot(context: Context, plan: BootPlan, attached: AttachedPart): MountedDevice {
  const { device } = attached;
  const { source: target } = planBase(plan);
  const { rootTypes: types, rootOptions: options } = plan;
  const asRoot = plan.rootWritable ? "writable" : "read-only";
  const access = target === ROOT ? asRoot : "untouched";
  if (target === ROOT && plan.verity.root === null) guardMount(context, plan, attached);
  // A verified device cannot be repaired: it is what it was made as, or the kernel refuses to read it.
  if (target === ROOT && plan.verity.root === null) checkFilesystem(context, device, plan);
  const type = mountDevice(context, { device, target, types, access, options, role: "root" });
  const writable = access === "writable";
  const { node, facts } = device;
  return { node, superblock: node, facts, target, type, writable, isInside: liesInVolume(context.machine)(device) };
}
