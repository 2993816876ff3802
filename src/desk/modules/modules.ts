import { join } from "node:path";
import { readModinfo } from "../../drivers/index/modinfo.ts";
import { type ConfigFile, parseModprobeConfig } from "../../drivers/index/modprobe-config.ts";
import {
  buildModuleIndex,
  findModule,
  isBuiltin,
  listModules,
  type ModuleIndex,
} from "../../drivers/index/module-index.ts";
import { moduleNameOf, normalizeName } from "../../drivers/index/names.ts";
import { type ModuleSource, namesToLoad, resolveModule } from "../../drivers/index/resolution.ts";
import { le16 } from "../../formats/bytes.ts";
import { nearMisses } from "../../parameters/near-misses.ts";
import { BootError } from "../../problems/errors.ts";
import { contentOfBytes, contentOfFile } from "../archive/content.ts";
import { fileBelow } from "../host.ts";
import { findFirmware } from "./firmware.ts";
import { forHost, type HostRequest } from "./host-selection.ts";
import type { KernelChoice } from "./kernel.ts";
import { readKernelFiles } from "./kernel-lists.ts";
import { createModuleReader, plainPath } from "./module-file.ts";
import { cutLists } from "./module-lists.ts";
import { createOwnPaths, namesByPattern } from "./module-paths.ts";
import { DEFAULT_MODULES } from "./module-table.ts";

import { pack, storedPath } from "./packed-modules.ts";

const NAMED_MAX = 5;

/** Which modules an image is to contain. */
export interface ModuleRequest {
  readonly kernel: KernelChoice;
  /** --module: names and aliases to add to the default modules. */
  readonly add: readonly string[];
  /** Instead of DEFAULT_MODULES. */
  readonly patterns?: readonly string[];
  /** Files of modprobe.d(5) that the boot will read: their soft dependencies and aliases count. */
  readonly config?: readonly ConfigFile[];
  readonly firmwareDirs?: readonly string[];
  /** Of the system that the kernel is installed in (default: "/"). */
  readonly root?: string;
  /** Compress the modules that few boots load: an image then needs less memory, and the kernel unpacks less. */
  readonly isPacked?: boolean;
  /** For one machine: its modules, and of the default ones those whose path `keeps` accepts. */
  readonly host?: HostRequest;
}

/** The result of `selectModules`. */
export type ModuleSelection = ReturnType<typeof selectModules>;

/** Selects modules by the default table and `add`, with their dependencies. Throws BootError for an unknown name, and for modules or lists that would not make a working image. */
export function selectModules(request: ModuleRequest) {
  const { version, modulesDir } = request.kernel;
  const texts = readKernelFiles(modulesDir, request.root);
  const index = buildModuleIndex(version, texts);
  const softdep = { name: "modules.softdep", text: texts.softdep };
  const source = { index, config: parseModprobeConfig([...(request.config ?? []), softdep]) };
  const { wanted, builtin } = namesAsked(source, request.add);
  const ownPath = createOwnPaths(texts.order);
  const usual = namesByPattern(index, request.patterns ?? DEFAULT_MODULES, ownPath);
  const host = forHost(source, usual, request.host);
  const names = closeOver(source, [...host.usual, ...host.own, ...wanted]);
  refuseGaps(index, names, modulesDir);
  const listed = (name: string) => findModule(index, name)?.path ?? "";
  const pathOf = (name: string) => storedPath(ownPath(name, listed(name)), request.isPacked === true);
  const hostPath = (name: string) => fileBelow(request.root ?? "/", join(modulesDir, listed(name)));
  const read = createModuleReader(names.map(hostPath));
  const modules = names.map((name) => describeModule(name, read(hostPath(name)), pathOf(name)));
  refuseOtherKernel(request.kernel, new Set(modules.flatMap((module) => module.builtFor)));
  const firmware = findFirmware(
    modules.flatMap((module) => module.firmware),
    version,
    request.firmwareDirs,
  );
  const isLacking = (names: readonly string[]) => names.every((name) => firmware.missing.includes(name));
  return {
    /** Modules, firmware, depmod's lists for these modules, and the index that the boot reads. */
    files: [
      ...modules.map(({ stored, content }) => ({ path: `/lib/modules/${version}/${stored}`, content })),
      ...firmware.files.map(({ name, hostPath, size }) => ({
        path: `/lib/firmware/${name}`,
        content: contentOfFile(hostPath, size),
      })),
      ...cutLists(index, names, texts, pathOf),
    ],
    names,
    /** e_machine of each. */
    machines: modules.map(({ machine }) => machine),
    /** Those of them that were asked for by name or alias. */
    asked: [...wanted, ...host.own],
    builtin,
    source,
    missingFirmware: firmware.missing,
    /** Modules that name firmware of which this host has none; of several versions a device needs one. */
    lackingFirmware: modules.flatMap(({ name, firmware: needed }) =>
      needed.length > 0 && isLacking(needed)
        ? [{ name, firmware: needed, isAsked: wanted.includes(name) || host.own.includes(name) }]
        : [],
    ),
    warnings: [...texts.warnings, ...host.warnings, ...warnOfBuiltinAliases(version, texts.builtinModinfo)],
  };
}

/** modules.builtin.modinfo exists since Linux 5.2, each string with its NUL. Without it only a name given as an alias is not found. */
function warnOfBuiltinAliases(version: string, builtinModinfo: string): readonly string[] {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  if (builtinModinfo.endsWith("\0") || major < 5 || (major === 5 && minor < 2)) return [];
  return [
    "modules.builtin.modinfo is missing or cut off: aliases of drivers that are built into the kernel are unknown",
  ];
}

/** Throws BootError if a module needs one that the lists do not have: then a line of modules.dep is missing. */
function refuseGaps(index: ModuleIndex, names: readonly string[], modulesDir: string): void {
  const isThere = (name: string) => findModule(index, name) !== null || isBuiltin(index, name);
  const gaps = names.flatMap((name) => {
    const missing = (findModule(index, name)?.dependencies ?? []).filter((needed) => !isThere(needed));
    return missing.length === 0 ? [] : [`${name} needs ${missing.join(", ")}`];
  });
  if (gaps.length === 0) return;
  throw new BootError(`the modules in ${modulesDir} are incomplete: dependencies are missing`, {
    seen: gaps.slice(0, NAMED_MAX),
    hint: "run depmod, or reinstall the kernel package",
  });
}

/** Throws BootError if no module was built for the kernel whose directory they get in the image. */
function refuseOtherKernel({ version, modulesDir }: KernelChoice, builtFor: ReadonlySet<string>): void {
  if (builtFor.size === 0 || builtFor.has(version)) return;
  throw new BootError(`the modules in ${modulesDir} are not for kernel ${version}: it would not find them`, {
    seen: [...builtFor].slice(0, NAMED_MAX).map((other) => `built for ${other}`),
    hint: `name their kernel with --kernel ${[...builtFor][0]}, or another directory with --modules-dir`,
  });
}

function namesAsked(source: ModuleSource, add: readonly string[]) {
  const wanted: string[] = [];
  const builtin: string[] = [];
  for (const given of add) {
    // The name of a module's file is accepted, too.
    const targets = resolveModule(source, /\.ko(\.\w+)?$/.test(given) ? moduleNameOf(given) : given);
    if (targets.length === 0) throw unknownModule(source.index, given);
    for (const { name } of targets) (findModule(source.index, name) === null ? builtin : wanted).push(name);
  }
  return { wanted, builtin };
}

/** Returns the error for an unknown module, with similar names in `seen`. */
export function unknownModule(index: ModuleIndex, given: string): BootError {
  const near = nearMisses(normalizeName(given), listNames(index));
  return new BootError(`kernel ${index.kernel} has no module or alias "${given}"`, {
    seen: near,
    hint:
      near.length > 0
        ? "use one of these names, or leave it out"
        : "run lsmod on a machine that uses the module to find its name",
  });
}

function listNames(index: ModuleIndex): readonly string[] {
  return listModules(index).map(({ name }) => name);
}

/** Returns these modules with their dependencies, soft ones included: the boot decides what it loads. */
function closeOver(source: ModuleSource, names: readonly string[]): readonly string[] {
  // By alias a boot reaches also a module whose own name modprobe.d redirects.
  const needed = new Set([...names, ...namesToLoad(source, names)]);
  return listNames(source.index).filter((name) => needed.has(name));
}

function describeModule(name: string, bytes: Uint8Array<ArrayBuffer>, stored: string) {
  const modinfo = readModinfo(bytes);
  const valuesOf = (wanted: string) => modinfo.flatMap(({ key, value }) => (key === wanted ? [value] : []));
  return {
    name,
    stored,
    machine: le16(bytes, 18),
    content: contentOfBytes(stored === plainPath(stored) ? bytes.slice() : pack(bytes)),
    firmware: valuesOf("firmware"),
    /** The kernel of its "vermagic", as "6.1.0-56-amd64 SMP preempt mod_unload modversions". */
    builtFor: valuesOf("vermagic").flatMap((text) => text.split(" ")[0] ?? []),
  };
}
