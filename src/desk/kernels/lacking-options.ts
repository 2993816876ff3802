import type { BootPlan } from "../../plan/plan.ts";
import { filesystemOption } from "../../problems/kernel-options.ts";
import { printable } from "../../problems/report.ts";
import type { Compression } from "../archive/compress.ts";
import { canUnpack } from "../modules/kernel-config.ts";
import type { ConfiguredKernel } from "./without-modules.ts";

interface Need {
  /** Without CONFIG_. */
  readonly option: string;
  /** What does not work without it. */
  readonly lacks: string;
  /** Whether a module does too. */
  readonly orModule?: true;
  /** Left out: every boot needs it. */
  readonly isFor?: (plan: BootPlan) => boolean;
}

const STARTS_NOT = "levain cannot start";
const isEncrypted = ({ crypt }: BootPlan) => crypt.volumes.length > 0 || crypt.everyLuks;
const hasImage = ({ image, layers }: BootPlan) => image !== null || layers.some(({ kind }) => kind === "image");

/** THE table of what levain asks of a kernel that distributions always build, and small kernels leave out. */
const NEEDS: readonly Need[] = [
  { option: "BINFMT_ELF", lacks: "the kernel cannot start /init" },
  { option: "PROC_FS", lacks: STARTS_NOT },
  { option: "SYSFS", lacks: STARTS_NOT },
  { option: "TMPFS", lacks: STARTS_NOT },
  { option: "FUTEX", lacks: STARTS_NOT },
  { option: "EPOLL", lacks: STARTS_NOT },
  { option: "EVENTFD", lacks: STARTS_NOT },
  { option: "NET", lacks: "the kernel reports no devices that appear" },
  { option: "BINFMT_SCRIPT", lacks: "hooks, and an init that is a script, do not start" },
  {
    option: "DEVTMPFS",
    lacks: "levain makes the nodes of /dev, and the real system has to make them again: udev does not",
  },
  {
    option: "BLK_DEV_LOOP",
    lacks: "an image file cannot be mounted",
    orModule: true,
    isFor: hasImage,
  },
  {
    option: "OVERLAY_FS",
    lacks: "no overlay can be mounted",
    orModule: true,
    isFor: ({ overlay }) => overlay !== null,
  },
  {
    option: "TMPFS_XATTR",
    lacks: "a directory that was deleted from the overlay in memory cannot be made again",
    isFor: ({ overlay }) => overlay?.kind === "tmpfs",
  },
  { option: "BLK_DEV_DM", lacks: "no encrypted volume can be opened", orModule: true, isFor: isEncrypted },
  { option: "DM_CRYPT", lacks: "no encrypted volume can be opened", orModule: true, isFor: isEncrypted },
  { option: "INET", lacks: "the network cannot be used", isFor: ({ network }) => network.isNeeded },
];

/** Returns a warning for modules that were asked for by name, but of which the kernel has none. */
export function warnOfNoModules(
  { version, hasModules }: ConfiguredKernel,
  names: readonly string[],
): readonly string[] {
  if (hasModules || names.length === 0) return [];
  const which = names.map(printable).join(", ");
  return [
    `kernel ${version} has no modules, so the image does not get ${which}: the kernel needs these drivers built in`,
  ];
}

/** Returns a warning for each option that a kernel lacks and a boot by one of `plans` needs; none if its configuration is not known. */
export function warnOfLackingOptions(
  { version, config }: ConfiguredKernel,
  plans: readonly BootPlan[],
): readonly string[] {
  const types = [...new Set(plans.flatMap(({ rootTypes }) => rootTypes))];
  const needs: readonly Need[] = [...NEEDS, ...types.flatMap(needOf)];
  return needs
    .filter(({ isFor }) => isFor === undefined || plans.some(isFor))
    .filter(({ option, orModule }) => config(option, orModule) === false)
    .map(({ option, lacks }) => `kernel ${version} is configured without CONFIG_${option}: ${lacks}`);
}

/** The driver of a type of rootfstype=. */
function needOf(type: string): readonly Need[] {
  const option = filesystemOption(type)?.replace(/^CONFIG_/, "");
  return option === undefined ? [] : [{ option, lacks: `it cannot mount ${type}`, orModule: true }];
}

/** Returns a warning if the kernel cannot unpack an image that is compressed so. */
export function warnOfCompression(
  { version, config }: ConfiguredKernel,
  method: Compression["method"],
): readonly string[] {
  if (canUnpack(config, method) !== false) return [];
  const fault = method === "none" ? "an initramfs" : `an initramfs compressed with ${method}`;
  return [`kernel ${version} is configured without support for ${fault}: it cannot boot this image`];
}
