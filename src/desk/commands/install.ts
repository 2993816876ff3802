import { readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { printable, report } from "../../problems/report.ts";
import { type CommandWords, command, option, UsageError } from "../command-line.ts";
import { attempt, isDirectory } from "../host.ts";
import { findDistribution } from "../install/distribution.ts";
import { installHooks } from "../install/install.ts";
import { buildFor, type ImageJob, installImage, listKernels } from "../install/kernel-images.ts";
import { type InstallRecord, readRecord } from "../install/record.ts";
import { removeImage, uninstall } from "../install/uninstall.ts";
import { findSelf } from "../program/init-program.ts";
import { createTerminalVoice } from "../terminal-voice.ts";
import { UKI_OPTIONS } from "../uki/options.ts";

const ROOT = option("DIR", "Change the system in DIR instead of this one");
const KERNEL = "a version, all, or -: the paths of kernels on standard input";

/** `levain install`. The exit status is 1 if an image could not be built. */
export const installCommand = command({
  name: "install",
  description: "Make levain the initramfs of this system, for its kernels and each new one",
  args: {
    root: ROOT,
    kernel: option("VERSION", `Only build the image, as hooks do: ${KERNEL}`),
    output: option("FILE", "With --kernel: write only this file", "o"),
    program: option("FILE", "Install this levain (default: this program)"),
    uki: UKI_OPTIONS.uki,
    linux: UKI_OPTIONS.linux,
    cmdline: UKI_OPTIONS.cmdline,
  },
  examples: {
    "sudo levain install": "Set up the hooks of the distribution, and build the image of each kernel",
    "sudo levain install --kernel all": "Build again after a change of /etc/levain.toml",
  },
  run: async (line) => {
    const root = readRoot(line);
    const distribution = findDistribution(root);
    const given = line.one("program");
    const voice = createTerminalVoice(process.stderr);
    const names = ["uki", "linux", "cmdline"].filter((name) => line.has(name));
    const words = Object.fromEntries(names.map((name) => [name, line.all(name)]));
    const job: ImageJob = { root, distribution, init: given === null ? null : resolve(given), voice, words };
    try {
      const output = line.one("output");
      if (output !== null) return await buildOne(job, line, resolve(output));
      const kernel = line.one("kernel");
      if (kernel !== null) return await buildAll(job, readVersions(root, kernel), requireRecord(root));
      const { record, lines } = installHooks(root, distribution, realpathSync(job.init ?? findSelf()));
      console.log(lines.map(printable).join("\n"));
      return await buildAll(job, listKernels(root), record);
    } finally {
      voice.close();
    }
  },
});

/** `levain uninstall`. The exit status is 1 if something could not be taken back. */
export const uninstallCommand = command({
  name: "uninstall",
  description: "Take back what levain install has changed",
  args: { root: ROOT, kernel: option("VERSION", `Only remove the image of a kernel, as hooks do: ${KERNEL}`) },
  examples: { "sudo levain uninstall": "Restore the hooks and the images from before" },
  run: (line) => {
    const root = readRoot(line);
    const kernel = line.one("kernel");
    const record = readRecord(root);
    if (kernel !== null) {
      if (kernel === "all") throw new UsageError("Option '--kernel' needs one version here");
      const versions = record === null ? [] : readVersions(root, kernel);
      return tell([], record === null ? [] : versions.flatMap((version) => removeImage(root, record, version)));
    }
    if (record === null) {
      console.error("levain install has changed nothing in this system");
      return 1;
    }
    const { lines, kept } = uninstall(root, findDistribution(root), record);
    return tell(lines, kept);
  },
});

function tell(lines: readonly string[], kept: readonly string[]): number {
  for (const line of lines) console.log(printable(line));
  for (const line of kept) console.error(`warning: ${printable(line)}`);
  return kept.length === 0 ? 0 : 1;
}

function readRoot(line: CommandWords): string {
  const root = resolve(line.one("root") ?? "/");
  if (isDirectory(root)) return root;
  throw new BootError(`no directory ${root} with a system`, { hint: "name a mounted root filesystem with --root DIR" });
}

function requireRecord(root: string): InstallRecord {
  const record = readRecord(root);
  if (record !== null) return record;
  throw new BootError("levain is not the initramfs of this system yet", {
    hint: "run levain install without --kernel first, or build an image alone: levain image --kernel VERSION",
  });
}

/** A path of pacman, or a version. */
const KERNEL_PATH = /^(?:.*\/)?lib\/modules\/([^/]+)(?:\/.*)?$/;

function readVersions(root: string, given: string): readonly string[] {
  if (given === "all") return listKernels(root);
  const words =
    given === "-" ? attempt("cannot read standard input", () => readFileSync(0, "utf8")).split("\n") : [given];
  const versions = words.filter((word) => word !== "").map((word) => KERNEL_PATH.exec(word)?.[1] ?? word);
  const wrong = versions.find((version) => !/^\w[\w.+~@-]*$/.test(version));
  if (wrong !== undefined) throw new UsageError(`Option '--kernel' needs a version but received '${printable(wrong)}'`);
  return [...new Set(versions)];
}

async function buildOne(job: ImageJob, line: CommandWords, output: string): Promise<number> {
  const [version, ...others] = readVersions(job.root, line.one("kernel") ?? "");
  if (version === undefined || others.length > 0)
    throw new UsageError("Option '--output' needs --kernel with one version");
  console.log(printable(await buildFor(job, version, output)));
  return 0;
}

/** Builds every image that can be built, and reports the others. */
async function buildAll(job: ImageJob, versions: readonly string[], record: InstallRecord): Promise<number> {
  let failures = 0;
  for (const version of versions) {
    try {
      for (const text of await installImage(job, version, record)) console.log(printable(text));
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      console.error(report(error).join("\n"));
      failures += 1;
    }
  }
  if (versions.length === 0) console.log("no kernel is installed: the hooks build an image when one is");
  return failures === 0 ? 0 : 1;
}
