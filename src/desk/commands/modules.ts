import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { defineCommand } from "citty";
import { type ConfigFile, parseModprobeConfig } from "../../drivers/index/modprobe-config.ts";
import { buildModuleIndex } from "../../drivers/index/module-index.ts";
import { type ModuleAction, type ModuleSource, resolveModule } from "../../drivers/index/resolution.ts";
import { printable } from "../../problems/report.ts";
import { attempt } from "../attempt.ts";
import { readCommandLine, UsageError } from "../command-line.ts";
import { chooseKernel, type KernelChoice } from "../modules/kernel.ts";
import { readKernelFiles } from "../modules/module-lists.ts";
import { unknownModule } from "../modules/modules.ts";

const args = {
  names: {
    type: "positional",
    required: true,
    valueHint: "NAME|ALIAS…",
    description: "modules by name, or what a device's modalias says",
  },
  kernel: { type: "string", valueHint: "VERSION", description: "the kernel to look at (default: the running one)" },
  "modules-dir": { type: "string", valueHint: "DIR", description: "a lib/modules/VERSION directory somewhere else" },
  config: {
    type: "string",
    alias: "c",
    valueHint: "DIR",
    description: "a modprobe.d file or directory to obey (default: none)",
  },
  json: { type: "boolean", description: "Print JSON" },
} as const;

/** What one word of the command line leads to. */
interface Answer {
  readonly asked: string;
  readonly result: "modules" | "builtin" | "unknown";
  readonly targets: readonly {
    readonly name: string;
    readonly blacklisted: boolean;
    readonly missing: readonly string[];
    readonly load: readonly ModuleAction[];
  }[];
}

/** `levain modules`: in which order a boot would load what these names and aliases need. Exit status 1 where one is unknown. */
export const modulesCommand = defineCommand({
  meta: {
    name: "modules",
    description: "Show which modules a name or a device's alias leads to, in the order of loading",
  },
  args,
  run: ({ rawArgs }) => {
    const line = readCommandLine(rawArgs, args);
    if (line.words.length === 0) throw new UsageError("Missing required argument NAME|ALIAS");
    const kernel = chooseKernel({ kernel: line.one("kernel"), modulesDir: line.one("modules-dir") });
    if (kernel === null) throw new UsageError("--kernel none has no modules to show");
    const source = readSource(kernel, line.one("config"));
    for (const problem of source.config.problems) console.error(`warning: ${printable(problem)}`);
    const answers = line.words.map((asked) => answer(source, asked));
    console.log(
      line.has("json")
        ? JSON.stringify(answers, null, 2)
        : answers.flatMap((each) => formatAnswer(each, source)).join("\n"),
    );
    return answers.some(({ result }) => result === "unknown") ? 1 : 0;
  },
});

function readSource(kernel: KernelChoice, config: string | null): ModuleSource {
  const texts = readKernelFiles(kernel.modulesDir);
  const files = config === null ? [] : readConfigFiles(config);
  return {
    index: buildModuleIndex(kernel.version, texts),
    config: parseModprobeConfig([...files, { name: "modules.softdep", text: texts.softdep }]),
  };
}

function readConfigFiles(path: string): readonly ConfigFile[] {
  return attempt(`cannot read the configuration ${path}`, () => {
    const names = statSync(path).isDirectory() ? readdirSync(path).filter((name) => name.endsWith(".conf")) : [""];
    return names.map((name) => ({ name: name || basename(path), text: readFileSync(join(path, name), "utf8") }));
  });
}

function answer(source: ModuleSource, asked: string): Answer {
  const targets = resolveModule(source, asked).map(({ name, blacklisted, actions, missing }) => ({
    name,
    blacklisted,
    missing,
    load: actions,
  }));
  const isBuiltin = targets.every(
    ({ load, missing }) => missing.length === 0 && load.every((action) => action.do === "builtin"),
  );
  if (targets.length === 0) return { asked, result: "unknown", targets };
  return { asked, result: isBuiltin ? "builtin" : "modules", targets };
}

function formatAnswer({ asked, result, targets }: Answer, { index }: ModuleSource): readonly string[] {
  const title = printable(asked);
  if (result === "unknown") {
    const { seen } = unknownModule(index, asked);
    return [
      `${title}: unknown to ${index.kernel}${seen.length > 0 ? ` (there is ${seen.map(printable).join(", ")})` : ""}`,
    ];
  }
  if (result === "builtin") return [`${title}: built into the kernel`];
  return targets.flatMap(({ name, blacklisted, missing, load }) => [
    `${title}: ${name}${blacklisted ? ", blacklisted: not loaded" : ""}`,
    ...(blacklisted ? [] : load.map((action) => `  ${formatAction(action)}`)),
    ...missing.map((each) => `  ${printable(each)} is missing`),
  ]);
}

function formatAction(action: ModuleAction): string {
  if (action.do === "builtin") return `${action.name} (built in)`;
  if (action.do === "install") return `${action.name}: install ${printable(action.command)}`;
  return `${action.path}${action.parameters === "" ? "" : ` ${printable(action.parameters)}`}`;
}
