import { dirname, resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { parseCompression } from "../archive/compress.ts";
import { type CommandWords, command, flag, flagOrOption, option } from "../command-line.ts";
import { type ImageConfig, parseConfig, readConfig } from "../config/config.ts";
import { parseHooks } from "../extras/boot-hook.ts";
import { isDirectory } from "../host.ts";
import { parseAddition } from "../image/addition.ts";
import { buildImage, STANDARD_OUTPUT } from "../image/image.ts";
import type { HostChoice, ImageOptions } from "../image/options.ts";
import { parseRuntime, RUNTIME_OPTION } from "../image/runtime.ts";
import { chooseShellPassword } from "../image/shell-password.ts";
import { summarize } from "../image/summary.ts";
import { makeImageTree } from "../image/verity.ts";
import { parseModprobeRequest } from "../modules/modprobe-files.ts";
import { formatReport, JSON_OPTION } from "../report-rows.ts";
import { writeLine } from "../standard-output.ts";
import { createTerminalVoice } from "../terminal-voice.ts";
import { readUkiOptions, UKI_OPTIONS } from "../uki/options.ts";

/** `levain image`. */
export const imageCommand = command({
  name: "image",
  description: "Build an initramfs image with levain as its /init",
  args: {
    output: option("FILE", "Write the image to FILE; -: standard output (default: initramfs-VERSION.img)", "o"),
    root: option(
      "DIR",
      "Build for the system in DIR: its kernel, modprobe.d files and firmware (default: this system)",
    ),
    kernel: option("VERSION", "Build for this kernel; none: without modules (default: the running kernel)"),
    "modules-dir": option("DIR", "Read modules from DIR instead of /lib/modules/VERSION"),
    module: option("NAME", "Add a module to the default ones; repeatable"),
    host: flagOrOption("HINTS", "Build for this machine only, or for the one where levain host has printed HINTS"),
    network: flag("Add the drivers of network cards (default: if a parameter in the image needs the network)"),
    "modprobe-dir": option(
      "DIR",
      "Copy the modprobe.d files of DIR; repeatable; none: no files (default: those of the system, for its own modules)",
    ),
    busybox: option("FILE", "Use this BusyBox; none: no rescue shell (default: this host's)"),
    init: option("FILE", "Use this levain as /init (default: this program)"),
    ...RUNTIME_OPTION,
    config: option("FILE", "Read options and parameters from FILE, a levain.toml", "c"),
    add: option(
      "SRC:DST",
      "Copy the file or directory SRC to DST in the image; without :DST to the same path; repeatable",
    ),
    program: option("FILE", "Add a program and its libraries; repeatable"),
    keymap: option("NAME", "Add a keymap, such as de-latin1; repeatable, the first is the default"),
    microcode: flag("Put the microcode of the CPU before the image; with --host only that of its CPU"),
    firmware: option("FILE", "Add a file of /lib/firmware, wildcards included; repeatable"),
    strip: flag("Remove the symbols of modules and programs"),
    "shell-password": flag("Ask twice for a password, which the rescue shell of this image asks for (rdshell=ask)"),
    "shell-password-file": option("FILE", "Read that password from FILE; -: standard input"),
    hook: option(
      "[STEP:]FILE",
      "Run a program that puts files for the image into $DESTDIR; with STEP: at that step of the boot; repeatable",
    ),
    verity: option(
      "FILE",
      "Write the dm-verity hash tree of an image file to FILE.verity, its root hash to FILE.roothash, and nothing else",
    ),
    compress: option("METHOD[:LEVEL]", "Compress with zstd, lz4, gzip, xz or none (default: zstd)"),
    ...UKI_OPTIONS,
    ...JSON_OPTION,
  },
  examples: {
    "levain image": "Build initramfs-VERSION.img for the running kernel",
    "levain image --host --microcode": "Build a small image for this machine",
    "levain image --host=hints.json -o other.img":
      "Build for the machine where hints.json was made: levain host > hints.json",
    "levain image --root /mnt": "Build for the system that is mounted in /mnt",
    "levain image --kernel none -o small.img": "Build for a kernel that has its drivers built in",
    "levain image --add ./key:/etc/key --keymap de-latin1": "Add a key file and the keymap of a German keyboard",
    "levain image --uki --cmdline 'root=LABEL=ROOT quiet' -o /efi/EFI/Linux/levain.efi":
      "Build a unified kernel image for the ESP",
    "levain image --verity root.sfs": "Make the hash tree and the root hash of an image file",
    "levain image -c levain.toml -o - | ssh HOST 'cat >/boot/initrd.img'":
      "Build as levain.toml says, and copy the image to HOST",
  },
  run: async (line, machine) => {
    const isJson = line.has("json");
    const verity = line.one("verity");
    const given = readOptions(line, process.cwd());
    const options = verity === null ? { ...given, ...(await chooseShellPassword(line, machine)) } : given;
    const voice = createTerminalVoice(process.stderr);
    try {
      if (verity !== null) {
        const { output, rows } = makeImageTree(resolve(verity), voice);
        writeLine(formatReport(output, rows, isJson));
        return 0;
      }
      const startMs = performance.now();
      const summary = await buildImage(options, voice);
      const text = formatReport(summary.output, summarize(summary, options, performance.now() - startMs), isJson);
      if (options.output === STANDARD_OUTPUT) console.error(text);
      else writeLine(text);
      return 0;
    } finally {
      voice.close();
    }
  },
});

/**
 * Returns the options of a command line that was given in `directory`, joined with those of its --config: a single value of the
 * command line overrides the file's, lists are joined. Paths in the file are relative to the file. Throws BootError.
 */
export function readOptions(line: CommandWords, directory: string): ImageOptions {
  const file = line.one("config");
  const config = file === null ? parseConfig("", "") : readConfig(resolve(directory, file));
  const base = file === null ? directory : dirname(resolve(directory, file));
  const path = (name: "output" | "modules-dir" | "init" | "busybox") => {
    const given = line.one(name);
    if (name === "output" && given === STANDARD_OUTPUT) return given;
    const value = given ?? config[name] ?? null;
    if (value === null || (name === "busybox" && value === "none")) return value;
    return resolve(given === null ? base : directory, value);
  };
  const parseAll = (additions: readonly string[], from: string) => additions.map((text) => parseAddition(text, from));
  const resolveAll = (paths: readonly string[], from: string) => paths.map((each) => resolve(from, each));
  const resolveDirs = (paths: readonly string[], from: string) =>
    paths.map((each) => (each === "none" ? each : resolve(from, each)));
  const hooks = [parseHooks(config.hooks, base), parseHooks(line.all("hook"), directory)];
  const runtime = line.one("runtime") ?? config.runtime ?? null;
  return {
    output: path("output"),
    root: readRoot(line, directory),
    kernel: line.one("kernel") ?? config.kernel ?? null,
    modulesDir: path("modules-dir"),
    modules: [...config.modules, ...line.all("module")],
    host: chooseHost(line, directory, config, base),
    network: line.has("network") || config.network,
    modprobeDirs: parseModprobeRequest([
      ...resolveDirs(line.all("modprobe-dir"), directory),
      ...resolveDirs(config["modprobe-dirs"], base),
    ]),
    busybox: path("busybox"),
    init: path("init"),
    runtime: runtime === null ? null : parseRuntime(runtime),
    additions: [...parseAll(config.add, base), ...parseAll(line.all("add"), directory)],
    programs: [...resolveAll(config.programs, base), ...resolveAll(line.all("program"), directory)],
    keymaps: [...line.all("keymap"), ...config.keymaps],
    microcode: line.has("microcode") || config.microcode,
    firmware: [...config.firmware, ...line.all("firmware")],
    strip: line.has("strip") || config.strip,
    hooks: hooks.flatMap((given) => given.hooks),
    bootHooks: hooks.flatMap((given) => given.bootHooks),
    compression: parseCompression(line.one("compress") ?? config.compress ?? "zstd"),
    parameters: config.parameters,
    shellPassword: config["shell-password"] ?? null,
    machines: Object.fromEntries(Object.entries(config.machine).map(([name, table]) => [name, table.parameters])),
    uki: readUkiOptions(line, config.uki, directory, base),
  };
}

/** Throws BootError if there is no such directory. */
function readRoot(line: CommandWords, directory: string): string {
  const root = resolve(directory, line.one("root") ?? "/");
  if (isDirectory(root)) return root;
  throw new BootError(`no directory ${root} with a system`, { hint: "name a mounted root filesystem with --root DIR" });
}

/** --host, --host=HINTS and host of levain.toml. */
function chooseHost(line: CommandWords, directory: string, config: ImageConfig, base: string): HostChoice | null {
  const given = line.one("host");
  if (given !== null) return { file: given === "" ? null : resolve(directory, given) };
  if (typeof config.host === "string") return { file: resolve(base, config.host) };
  return config.host ? { file: null } : null;
}
