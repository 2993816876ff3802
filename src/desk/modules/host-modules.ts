import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findModule } from "../../drivers/index/module-index.ts";
import { normalizeName } from "../../drivers/index/names.ts";
import { type ModuleSource, resolveModule } from "../../drivers/index/resolution.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError } from "../../problems/errors.ts";
import { isCommonModule } from "./packed-modules.ts";

/** What this machine uses at the moment. */
export interface HostUse {
  readonly modaliases: readonly string[];
  /** The modules in its kernel. */
  readonly loaded: readonly string[];
  /** The types of the mounted filesystems. */
  readonly filesystems: readonly string[];
  /** Whether its root is on a server. */
  readonly isRootOnNetwork: boolean;
  /** Whether it has a device-mapper or MD device: volumes may contain any others, so all their drivers and ciphers are kept. */
  readonly hasVolumes: boolean;
}

/** A keyboard that is plugged in later. */
const KEYBOARDS: ReadonlySet<string> = new Set(["usbhid", "hid_generic"]);
/** A line of proc_pid_mountinfo(5) for /, of NFS, NBD or the like. */
const ROOT_ON_NETWORK = /^\d+ \d+ \S+ \S+ \/ .* - (?:(?:nfs4?|cifs|smb3|ceph) |\S+ \/dev\/(?:nbd\d|etherd\/|drbd))/;
const NFS_MODULES = ["nfs", "nfsv3", "nfsv4"];
/** An array, a device of device mapper, or /dev/GROUP/VOLUME of LVM. */
const VOLUME_PATH = /^\/dev\/(?:md|(?!disk\/)[\w+.-]+\/)/;
const VOLUMES = /^kernel\/(drivers\/md|crypto|arch\/\w+\/crypto)\//;

/** Reads from /sys and /proc what this machine uses. Throws BootError if its devices are not visible. */
export function readHostUse(root = "/"): HostUse {
  const buses = join(root, "sys/bus");
  const modaliases = list(buses).flatMap((bus) => {
    const devices = join(buses, bus, "devices");
    return list(devices).flatMap((device) => read(join(devices, device, "modalias")).trim() || []);
  });
  if (modaliases.length === 0) {
    throw new BootError(`cannot find the devices of this machine: ${buses} has none`, {
      hint: "build on the machine itself, or leave out --hostonly",
    });
  }
  const lines = (path: string) => read(join(root, path)).split("\n");
  return {
    modaliases: [...new Set(modaliases)],
    loaded: lines("proc/modules").flatMap((line) => line.split(" ")[0] || []),
    filesystems: [...new Set(lines("proc/self/mountinfo").flatMap((line) => /^.* - (\S+)/.exec(line)?.[1] ?? []))],
    isRootOnNetwork: lines("proc/self/mountinfo").some((line) => ROOT_ON_NETWORK.test(line)),
    hasVolumes: list(join(root, "sys/block")).some((name) => /^(dm-|md)/.test(name)),
  };
}

/** Adds what the parameters of the image need: its root may lie in volumes that the machine does not have yet. */
export function withPlanned(
  use: HostUse,
  { root, verity, crypt, lvm, resume }: Pick<BootPlan, "root" | "verity" | "crypt" | "lvm" | "resume">,
): HostUse {
  const specs = [...(root.kind === "block" ? root.devices : []), ...(resume.device === null ? [] : [resume.device])];
  const isPlanned =
    [verity.root, verity.usr, verity.images].some((one) => one !== null) ||
    [crypt.volumes, lvm.groups, lvm.volumes].some((list) => list.length > 0) ||
    specs.some((spec) => spec.by === "path" && VOLUME_PATH.test(spec.path));
  const isOnNfs = root.kind === "nfs" || root.kind === "dhcp";
  return {
    ...use,
    hasVolumes: use.hasVolumes || isPlanned,
    loaded: isOnNfs ? [...use.loaded, ...NFS_MODULES] : use.loaded,
  };
}

/** Returns those of the modules `names` that the machine uses, or that a boot of it may need at any time. */
export function keepForHost(source: ModuleSource, names: readonly string[], use: HostUse): readonly string[] {
  const aliases = [...use.modaliases, ...use.filesystems.flatMap((type) => [`fs-${type}`, type])];
  const used = new Set([
    ...use.loaded.map(normalizeName),
    ...aliases.flatMap((alias) => resolveModule(source, alias).map(({ name }) => name)),
  ]);
  return names.filter((name) => {
    const path = findModule(source.index, name)?.path ?? "";
    const isNeeded = isCommonModule(path) || KEYBOARDS.has(name) || (use.hasVolumes && VOLUMES.test(path));
    return isNeeded || used.has(name);
  });
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return []; // a kernel without it, or a sandbox that hides it
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // a device without a modalias, or one that has just been removed
  }
}
