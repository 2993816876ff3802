import { findModule } from "../../drivers/index/module-index.ts";
import type { ModuleSource } from "../../drivers/index/resolution.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import type { Hints, Volume } from "../hints/schema.ts";
import { findHostModules, type Gap } from "./host-modules.ts";
import { isCommonModule } from "./packed-modules.ts";

/** The part of a plan that may need more than the hints show. */
export type PlannedNeeds = Pick<
  BootPlan,
  | "root"
  | "verity"
  | "crypt"
  | "lvm"
  | "resume"
  | "image"
  | "layers"
  | "overlay"
  | "persistence"
  | "volatile"
  | "network"
>;

/** An array, a device of device mapper, or /dev/GROUP/VOLUME of LVM. */
const VOLUME_PATH = /^\/dev\/(?:md|(?!disk\/)[\w+.-]+\/)/;
const VOLUMES = /^kernel\/(drivers\/md|crypto|arch\/\w+\/crypto)\//;

/**
 * Returns which of the default modules an image for one machine keeps beside those of the hints, by their paths: all for volumes, if
 * parameters name some that the machine does not have yet, or a cipher is not known; those of images and overlays, if
 * parameters name some.
 */
export function keptBeside(hints: Hints, plans: readonly PlannedNeeds[]): (path: string) => boolean {
  const keepsVolumes = hints.volumes.some(isUnknown) || plans.some((plan) => needsOtherVolumes(hints, plan));
  const keepsImages = plans.some(needsImages);
  return (path) => (keepsVolumes && VOLUMES.test(path)) || (keepsImages && isCommonModule(path));
}

/** Whether the network is needed to reach the root. */
export function needsNetwork(hints: Hints, plans: readonly PlannedNeeds[]): boolean {
  const isOnServer = hints.disks.some(({ server }) => server !== null);
  const isShared = hints.filesystems.some(({ type }) => ["nfs", "nfs4", "cifs", "smb3", "ceph"].includes(type));
  return isOnServer || isShared || plans.some(({ network }) => network.isNeeded);
}

function isUnknown({ kind, detail }: Volume): boolean {
  return kind === "plain" || (kind === "luks" && detail === null);
}

function needsOtherVolumes({ volumes }: Hints, { root, verity, crypt, lvm, resume }: PlannedNeeds): boolean {
  const has = (...kinds: readonly Volume["kind"][]) => volumes.filter(({ kind }) => kinds.includes(kind)).length;
  const specs = [...(root.kind === "block" ? root.devices : []), ...(resume.device === null ? [] : [resume.device])];
  const namesVolume = specs.some((spec) => spec.by === "path" && VOLUME_PATH.test(spec.path));
  const isVerified = [verity.root, verity.usr, verity.images].some((one) => one !== null);
  return (
    crypt.volumes.length > has("luks", "plain") ||
    (isVerified && has("verity") === 0) ||
    ((lvm.groups.length > 0 || lvm.volumes.length > 0) && has("lvm") === 0) ||
    (namesVolume && has("lvm", "luks", "plain", "md", "mapping", "multipath") === 0)
  );
}

function needsImages({ image, layers, overlay, persistence, volatile }: PlannedNeeds): boolean {
  return layers.length > 0 || [image, overlay, persistence, volatile].some((one) => one !== null);
}

/** The machine that an image is for. */
export interface HostRequest {
  readonly hints: Hints;
  readonly needsNetwork: boolean;
  /** Which of the default modules the image keeps, by their paths. */
  readonly keeps: (path: string) => boolean;
}

/** Returns the default modules that an image keeps, and those of its machine. Throws BootError if the kernel could not reach its root. */
export function forHost(source: ModuleSource, usual: readonly string[], request: HostRequest | undefined) {
  const none: readonly string[] = [];
  if (request === undefined) return { usual, own: none, warnings: none };
  const { names, gaps } = findHostModules(source, request.hints, request.needsNetwork);
  return {
    usual: usual.filter((name) => request.keeps(findModule(source.index, name)?.path ?? "")),
    own: names,
    warnings: judgeGaps(gaps, source.index.kernel),
  };
}

/** Throws BootError if the kernel lacks what the root needs; returns a warning for everything else that it lacks. */
function judgeGaps(gaps: readonly Gap[], kernel: string): readonly string[] {
  const texts = (isFatal: boolean) => gaps.filter((gap) => gap.isFatal === isFatal).map(({ what }) => printable(what));
  const fatal = texts(true);
  if (fatal.length > 0) {
    throw new BootError(`kernel ${kernel} could not reach the root of this machine: its modules are incomplete`, {
      seen: fatal.map((what) => `no module for ${what}`),
      hint: "install the rest of its modules (Ubuntu: linux-modules-extra, Fedora: kernel-modules), build for another kernel with --kernel, or build without --host",
    });
  }
  return texts(false).map((what) => `kernel ${kernel} has no module for ${what}`);
}
