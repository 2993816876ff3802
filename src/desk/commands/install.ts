import { readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { type CommandWords, command, flag, option, UsageError } from "../command-line.ts";
import { attempt, isDirectory } from "../host.ts";
import { type ChangeLog, createChangeLog } from "../install/changes.ts";
import { findDistribution } from "../install/distribution.ts";
import { listHookChanges, planHooks, writeHooks } from "../install/install.ts";
import { installImage, planImage } from "../install/install-image.ts";
import { buildFor, type ImageJob, listKernels } from "../install/kernel-images.ts";
import { withLock } from "../install/lock.ts";
import { type InstallRecord, readRecord } from "../install/record.ts";
import { removeImage, uninstall } from "../install/uninstall.ts";
import { findSelf } from "../program/init-program.ts";
import { JSON_OPTION } from "../report-rows.ts";
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
    "dry-run": flag("Show what would be written, and write nothing", "n"),
    ...JSON_OPTION,
  },
  examples: {
    "sudo levain install": "Set up the hooks of the distribution, and build the image of each kernel",
    "levain install --dry-run": "Show the files that it would write",
    "sudo levain install --kernel all": "Build again after a change of /etc/levain.toml",
  },
  run: async (line, machine) => {
    const root = readRoot(line);
    const distribution = findDistribution(root);
    const given = line.one("program");
    const voice = createTerminalVoice(process.stderr);
    const names = ["uki", "linux", "cmdline"].filter((name) => line.has(name));
    const words = Object.fromEntries(names.map((name) => [name, line.all(name)]));
    const job: ImageJob = { root, distribution, init: given === null ? null : resolve(given), voice, words };
    try {
      if (line.has("output")) return await buildOne(job, line);
      if (line.has("dry-run")) return await changeSystem(job, line);
      return await withLock(machine, root, () => changeSystem(job, line));
    } finally {
      voice.close();
    }
  },
});

/** `levain uninstall`. The exit status is 1 if something could not be taken back. */
export const uninstallCommand = command({
  name: "uninstall",
  description: "Take back what levain install has changed",
  args: {
    root: ROOT,
    kernel: option("VERSION", `Only remove the image of a kernel, as hooks do: ${KERNEL}`),
    ...JSON_OPTION,
  },
  examples: { "sudo levain uninstall": "Restore the hooks and the images from before" },
  run: (line, machine) => {
    const root = readRoot(line);
    const kernel = line.one("kernel");
    if (kernel === "all") throw new UsageError("Option '--kernel' needs one version here");
    const log = createChangeLog(line.has("json"), {});
    if (readRecord(root) === null) {
      if (kernel === null) log.fail(new BootError("levain install has changed nothing in this system"));
      return log.end();
    }
    // biome-ignore lint/suspicious/useAwait: withLock takes a promise
    return withLock(machine, root, async () => {
      const record = requireRecord(root);
      if (kernel === null) uninstall(root, findDistribution(root), record, log);
      else for (const version of readVersions(root, kernel)) removeImage(root, record, version, log);
      return log.end();
    });
  },
});

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
  const wrong = versions.find((version) => !/^[^-./\s\p{C}][^/\s\p{C}]*$/u.test(version));
  if (wrong !== undefined) throw new UsageError(`Option '--kernel' needs a version but received '${printable(wrong)}'`);
  return [...new Set(versions)];
}

async function buildOne(job: ImageJob, line: CommandWords): Promise<number> {
  const [version, ...others] = readVersions(job.root, line.one("kernel") ?? "");
  if (version === undefined || others.length > 0)
    throw new UsageError("Option '--output' needs --kernel with one version");
  const log = createChangeLog(line.has("json"), {});
  log.tell(await buildFor(job, version, resolve(line.one("output") ?? "")));
  return log.end();
}

/** Sets up the hooks unless a kernel is named, and builds every image that can be built. With --dry-run, it says what it would do. */
async function changeSystem(job: ImageJob, line: CommandWords): Promise<number> {
  const { root, distribution } = job;
  const kernel = line.one("kernel");
  const isDry = line.has("dry-run");
  const { name, fact } = distribution;
  const log = createChangeLog(line.has("json"), { distribution: name, found: fact, isDryRun: isDry });
  if (kernel === null) log.say(`${name} (found ${fact})`);
  const versions = readVersions(root, kernel ?? "all");
  const record = kernel === null ? setUpHooks(job, isDry, log) : requireRecord(root);
  for (const version of versions) {
    try {
      const changes = isDry ? planImage(job, version, record) : await installImage(job, version, record);
      for (const change of changes) log.tell(change);
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      log.fail(error);
    }
  }
  if (versions.length === 0) log.say("no kernel is installed: the hooks build an image when one is");
  return log.end();
}

function setUpHooks({ root, distribution, init }: ImageJob, isDry: boolean, log: ChangeLog): InstallRecord {
  const plan = planHooks(root, distribution, realpathSync(init ?? findSelf()));
  const record = isDry ? plan.record : writeHooks(root, plan);
  for (const change of listHookChanges(root, plan)) log.tell(change);
  return record;
}
