import { dirname, resolve } from "node:path";
import { defineCommand } from "citty";
import { parseCompression } from "../archive/compress.ts";
import { type CommandWords, readCommandLine, UsageError } from "../command-line.ts";
import { type Addition, parseAddition } from "../image/addition.ts";
import { type ImageConfig, parseConfig, readConfig } from "../image/config.ts";
import { buildImage, type ImageOptions, STANDARD_OUTPUT } from "../image/image.ts";
import { summarize } from "../image/summary.ts";
import { createDeskVoice } from "../voice.ts";

const args = {
  output: {
    type: "string",
    alias: "o",
    valueHint: "FILE",
    description: "where the image goes (default: initramfs-VERSION.img; -: standard output)",
  },
  kernel: {
    type: "string",
    valueHint: "VERSION",
    description: "the kernel to build for, or none for an image without modules (default: the running one)",
  },
  "modules-dir": { type: "string", valueHint: "DIR", description: "a lib/modules/VERSION directory somewhere else" },
  module: { type: "string", valueHint: "NAME", description: "a module beside the usual ones; may be repeated" },
  busybox: { type: "string", valueHint: "FILE", description: "the BusyBox to put in, or none (default: this host's)" },
  init: { type: "string", valueHint: "FILE", description: "the levain to put in as /init (default: this one)" },
  config: {
    type: "string",
    alias: "c",
    valueHint: "FILE",
    description: "a levain.toml with these options and parameters",
  },
  add: { type: "string", valueHint: "SRC:DST", description: "a file or directory to put in; may be repeated" },
  program: {
    type: "string",
    valueHint: "FILE",
    description: "a program to put in with its libraries; may be repeated",
  },
  keymap: {
    type: "string",
    valueHint: "NAME",
    description:
      "a keymap for prompts and the rescue shell, as de-latin1; may be repeated, the first is used by itself",
  },
  compress: { type: "string", valueHint: "METHOD[:LEVEL]", description: "zstd, lz4, gzip, xz or none (default: zstd)" },
} as const;

/** `levain image`: builds an initramfs for this or another machine. */
export const imageCommand = defineCommand({
  meta: { name: "image", description: "Build an initramfs image with this program as its /init" },
  args,
  run: async ({ rawArgs }) => {
    const options = readOptions(readCommandLine(rawArgs, args), process.cwd());
    const voice = createDeskVoice(process.stderr);
    const startMs = performance.now();
    const summary = await buildImage(options, voice).finally(() => voice.close());
    const text = summarize(summary, options, performance.now() - startMs).join("\n");
    if (options.output === STANDARD_OUTPUT) console.error(text);
    else console.log(text);
    return 0;
  },
});

/**
 * The options of a command line, run in `directory`, with those of its --config: a single value of the command line comes
 * before the file's, lists are joined. Paths in the file are relative to it. Throws UsageError, BootError.
 */
export function readOptions(line: CommandWords, directory: string): ImageOptions {
  if (line.words.length > 0) throw new UsageError(`Unexpected argument '${line.words[0]}'`);
  const configFile = line.one("config");
  const config = configFile === null ? parseConfig("", "") : readConfig(resolve(directory, configFile));
  const configDirectory = configFile === null ? directory : dirname(resolve(directory, configFile));
  const path = (name: "output" | "modules-dir" | "init") => {
    const given = line.one(name);
    if (name === "output" && given === STANDARD_OUTPUT) return given;
    if (given !== null) return resolve(directory, given);
    return config[name] === undefined ? null : resolve(configDirectory, config[name]);
  };
  return {
    output: path("output"),
    kernel: line.one("kernel") ?? config.kernel ?? null,
    modulesDir: path("modules-dir"),
    modules: [...config.modules, ...line.all("module")],
    busybox: readBusybox(line, config, directory, configDirectory),
    init: path("init"),
    additions: [...parseAll(config.add, configDirectory), ...parseAll(line.all("add"), directory)],
    programs: [
      ...config.programs.map((program) => resolve(configDirectory, program)),
      ...line.all("program").map((program) => resolve(directory, program)),
    ],
    keymaps: [...line.all("keymap"), ...config.keymaps],
    compression: parseCompression(line.one("compress") ?? config.compress ?? "zstd"),
    parameters: config.parameters,
  };
}

function readBusybox(
  line: CommandWords,
  config: ImageConfig,
  directory: string,
  configDirectory: string,
): string | null {
  const given = line.one("busybox");
  const wish = given ?? config.busybox ?? null;
  if (wish === null || wish === "none") return wish;
  return resolve(given === null ? configDirectory : directory, wish);
}

function parseAll(additions: readonly string[], directory: string): readonly Addition[] {
  return additions.map((addition) => parseAddition(addition, directory));
}
