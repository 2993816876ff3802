import type { Context } from "../../drivers/context.ts";
import { checkFilesystem } from "../../filesystems/check.ts";
import { mountDevice } from "../../filesystems/mount.ts";
import { isMounted, readMounts } from "../../filesystems/mounts.ts";
import { findDirectoryIn, findFileIn } from "../../filesystems/resolve.ts";
import { splitMountOptions } from "../../parameters/mount-options.ts";
import { normalisePath } from "../../parameters/parse.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { cryptForRoot } from "../../plan/stack/overlay.ts";
import { BootError } from "../../problems/errors.ts";
import { orProblem, problem } from "../../problems/problem.ts";
import { headline, printable } from "../../problems/report.ts";
import { attachDevice, describeAttached } from "../../storage/attach.ts";
import { guardMore } from "../../storage/resume/guard.ts";
import { isVerified, liesInVolume, listOpenVolumes, requireOneSide } from "../../storage/trust.ts";
import type { StackedRoot } from "../layers.ts";
import { mountImage } from "../mount-image.ts";
import { PARTS, ROOT } from "../root-stack.ts";
import { attempt } from "../store/policy.ts";
import { requireVerified } from "../verify/require-verified.ts";
import { lockKept } from "./kept.ts";
import type { BindSubmount, DeviceSubmount, Submount } from "./submount.ts";
import { findTarget } from "./targets.ts";
import { mountEmpty, mountUnion } from "./union.ts";

/** Mounts what belongs below the root, in this order. Returns what was mounted, in words. Throws BootError. */
export function mountSubmounts(
  context: Context,
  plan: BootPlan,
  submounts: readonly Submount[],
  root: StackedRoot,
): string {
  const texts = submounts.flatMap((submount) => {
    try {
      return attempt(context, (inner) => mountSubmount(inner, plan, submount, root));
    } catch (error) {
      if (!submount.isOptional || !(error instanceof BootError)) throw error;
      context.voice.warn(`${headline(error)}: booting without ${printable(submount.path)} (nofail)`);
      return [];
    }
  });
  for (const submount of submounts) if (submount.kind === "union") lockKept(context, submount);
  return texts.map(printable).join(", ");
}

/** Returns what was mounted, in words. */
function mountSubmount(context: Context, plan: BootPlan, submount: Submount, root: StackedRoot): string {
  const { path } = submount;
  switch (submount.kind) {
    case "unsupported":
      throw problem("submount-unsupported", { path, why: submount.why });
    case "union":
      return mountUnion(context, plan, submount, root);
    case "tmpfs":
      return mountEmpty(context, submount);
    case "device":
      return atPlace(context, submount, (target) => mountFromDevice(context, plan, { submount, target, root }));
    case "image":
      return atPlace(context, submount, (target) => {
        const file = findFileIn(context.machine, ROOT, submount.source);
        if (file === null) throw problem("submount-without-source", { path, source: submount.source });
        const isInside = root.isInside ?? false;
        return mountImage(context, plan, {
          path: submount.source,
          file,
          place: target,
          isInside,
          isMedium: false,
          tree: null,
        }).text;
      });
    case "bind":
      return atPlace(context, submount, (target) => bind(context, submount, target), isBindOfFile(context, submount));
    case "memory":
      return atPlace(context, submount, (target) => {
        const { type, source, options } = submount;
        context.drivers.loadFilesystem(type);
        const request = { source, target, type, ...splitMountOptions(options) };
        orProblem("submount-refused", { path, source }, () => context.machine.mount(request));
        context.undo(() => context.machine.unmount(target));
        return type;
      });
  }
}

/** Mounts by `mount` at the place of a submount, unless something is mounted there: a user may have done so by hand. */
function atPlace({ machine }: Context, { path }: Submount, mount: (target: string) => string, isFile = false): string {
  const target = findTarget(machine, path, isFile);
  return isMounted(machine, target) ? `${path} is mounted already` : `${path} from ${mount(target)}`;
}

interface DeviceOrder {
  readonly submount: DeviceSubmount;
  readonly target: string;
  readonly root: StackedRoot;
}

function mountFromDevice(context: Context, plan: BootPlan, { submount, target, root }: DeviceOrder): string {
  const { machine, voice, undo } = context;
  const { path, types, options, subdirectory, access } = submount;
  const attached = attachSubmount(context, plan, submount, root);
  const { device } = attached;
  // fstab is a part of the verified root, but the label that it names is not: anyone can give it to a filesystem.
  requireVerified(machine, plan, device, partOf(plan, path));
  const text = describeAttached(attached);
  const isInside = liesInVolume(machine)(device);
  const parts = [
    { text: "the root", isInside: root.isInside ?? isInside },
    { text: `${path} (${text})`, isInside },
  ];
  if (parts[0]?.isInside !== isInside) requireOneSide(machine, parts, voice);
  // A subvolume of the root's own btrfs is in use.
  const isInUse = readMounts(machine).some(({ source }) => source === device.node);
  if (access === "writable" && !isInUse && !isVerified(machine, device)) guardMore(context, plan, attached);
  if (submount.isChecked && !isInUse && !isVerified(machine, device)) checkFilesystem(context, device, plan);
  const place = subdirectory === null ? target : `${WHOLE}${path}`;
  mountDevice(context, { device, target: place, types, access, options, role: "submount", name: path });
  if (subdirectory === null) return text;
  const source = findDirectoryIn(machine, place, subdirectory);
  if (source === null) throw problem("submount-without-source", { path, source: subdirectory });
  orProblem("submount-refused", { path, source: subdirectory }, () =>
    machine.mount({ source, target, type: "", flags: ["bind"], options: "" }),
  );
  undo(() => machine.unmount(target));
  return `${text}, its ${subdirectory}`;
}

/** Names what asks for the mount. */
function partOf({ submounts: { extra } }: BootPlan, path: string): "usr" | "mount" | "fstab" {
  if (path === "/usr") return "usr";
  return extra.some(({ target }) => normalisePath(target) === path) ? "mount" : "fstab";
}

/** The whole filesystems of those of which a directory is mounted. */
const WHOLE = `${PARTS}/whole`;

/** Finds and unlocks the device as the root device is. The boot does not wait for one that it can do without. */
function attachSubmount(context: Context, plan: BootPlan, submount: DeviceSubmount, root: StackedRoot) {
  const { path, device, options, isOptional } = submount;
  const { node, isInside } = root;
  const ofRoot = node ?? readMounts(context.machine).findLast(({ target }) => target === ROOT)?.source ?? "";
  const wish = {
    ...plan,
    roots: [device ?? ({ by: "path", path: ofRoot } as const)],
    rootTimeoutMs: isOptional && path !== "/usr" ? 0 : plan.rootTimeoutMs,
    rootOptions: options,
    image: null,
    layers: [],
    crypt: cryptForRoot(plan),
    // A hash for /usr is for whatever is mounted there, by whichever name.
    verity: path === "/usr" && plan.verity.usr !== null ? [plan.verity.usr] : [],
    part: "submount",
  } as const;
  // If the root is in none of them, the open volumes hold changes.
  const keepsVolumes = isInside === false && listOpenVolumes(context.machine).length > 0;
  return attachDevice(context, wish, { wanted: "submount", name: printable(path), keepsVolumes });
}

function isBindOfFile({ machine }: Context, { source, isOutside }: BindSubmount): boolean {
  return !isOutside && findFileIn(machine, ROOT, source) !== null;
}

function bind({ machine, undo }: Context, submount: BindSubmount, target: string): string {
  const { path, source, options, isRecursive, isOutside } = submount;
  const found = isOutside ? source : (findDirectoryIn(machine, ROOT, source) ?? findFileIn(machine, ROOT, source));
  if (found === null) throw problem("submount-without-source", { path, source });
  const { flags } = splitMountOptions(options);
  orProblem("submount-refused", { path, source }, () => {
    machine.mount({ source: found, target, type: "", flags: isRecursive ? ["bind", "rec"] : ["bind"], options: "" });
    undo(() => machine.unmount(target));
    // The flags of a bind are those of its source until it is mounted again.
    if (flags.length === 0) return;
    machine.mount({ source: "none", target, type: "", flags: ["remount", "bind", ...flags], options: "" });
  });
  return source;
}
