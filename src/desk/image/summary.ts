import { formatBytes } from "../../problems/size.ts";
import { describeMemory } from "../archive/memory.ts";
import { type Row, row } from "../report-rows.ts";
import type { ImageSummary } from "./image.ts";
import { describeFallbacks } from "./kernel-fallback.ts";
import type { HostChoice, ImageOptions } from "./options.ts";
import { describeRuntime } from "./runtime.ts";

/** Returns what there is to say about a new image. */
export function summarize(summary: ImageSummary, options: ImageOptions, elapsedMs: number): readonly Row[] {
  const { moduleCount, entryCount, unpackedBytes, imageBytes, uki } = summary;
  const { method, level } = options.compression;
  const kernel = summary.kernel && {
    version: summary.kernel.version,
    modules: moduleCount,
    host: nameHost(options.host),
  };
  const hasModules = summary.kernel?.hasModules === true;
  return [
    row("kernel", kernel, describeKernel),
    row("modprobe", hasModules ? summary.modprobeDirs : null, describeModprobe),
    row("uki", uki && { version: uki.version, cmdline: uki.cmdline, isSigned: uki.isSigned }, describeUki),
    row("runtime", { kind: summary.runtime.kind, reason: summary.runtime.reason }, describeRuntime),
    row("firmware", summary.lackingFirmware, describeFirmware),
    row(
      "content",
      { entries: entryCount, unpackedBytes },
      ({ entries, unpackedBytes: bytes }) => `${entries} entries, ${formatBytes(bytes)} unpacked`,
    ),
    row("shell", summary.hasBusybox, (has) => (has ? null : "none: the image has no BusyBox")),
    row("password", summary.asksPassword, (asks) => (asks ? "a rescue shell asks for it (rdshell=ask)" : null)),
    row("fallback", summary.fallbacks, describeFallbacks),
    row(
      "size",
      { imageBytes, compression: method === "none" ? null : `${method}:${level}`, seconds: elapsedMs / 1000 },
      describeSize,
    ),
    row("memory", summary.memory, (need) => `needs ${describeMemory(need)}`),
  ];
}

/** null: any machine; "": this one; else the file with the hints of another one. */
const nameHost = (host: HostChoice | null) => host && (host.file ?? "");

/** Describes the kernel that an image is for. */
export function describeKernel(kernel: { version: string; modules: number; host: string | null } | null): string {
  if (kernel === null) return "any with built-in drivers: the image has no modules";
  const { version, modules, host } = kernel;
  if (modules === 0) return `${version}, whose drivers are built in: the image has no modules`;
  const machine = host === "" ? "this machine" : `the machine of ${host}`;
  return `${version}, ${modules} modules${host === null ? "" : `, for ${machine} only`}`;
}

function describeModprobe(directories: readonly string[] | null): string | null {
  if (directories === null) return null;
  return directories.length > 0
    ? `as in ${directories.join(", ")}`
    : "no modprobe.d files (add some with --modprobe-dir DIR)";
}

type Uki = Pick<NonNullable<ImageSummary["uki"]>, "version" | "cmdline" | "isSigned">;

function describeUki(uki: Uki | null): string | null {
  if (uki === null) return null;
  const parameters = uki.cmdline === null ? "the command line is the boot loader's" : `command line: ${uki.cmdline}`;
  return `Linux ${uki.version}, ${uki.isSigned ? "signed" : "not signed"}; ${parameters}`;
}

const NAMED_MAX = 3;

function describeFirmware(lacking: readonly string[]): string | null {
  const more = lacking.length > NAMED_MAX ? ` and ${lacking.length - NAMED_MAX} more` : "";
  return lacking.length === 0 ? null : `this host has none for ${lacking.slice(0, NAMED_MAX).join(", ")}${more}`;
}

function describeSize(size: { imageBytes: number; compression: string | null; seconds: number }): string {
  return `${formatBytes(size.imageBytes)}, ${size.compression ?? "not compressed"}, in ${size.seconds.toFixed(1)} s`;
}
