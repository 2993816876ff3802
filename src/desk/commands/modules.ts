import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type ConfigFile, parseModprobeConfig } from "../../drivers/index/modprobe-config.ts";
import { buildModuleIndex } from "../../drivers/index/module-index.ts";
import { type ModuleAction, type ModuleSource, resolveModule } from "../../drivers/index/resolution.ts";
import { printable } from "../../problems/report.ts";
import { argument, command, flag, option, UsageError } from "../command-line.ts";
import { attempt, isDirectory } from "../host.ts";
import { chooseKernel, type KernelChoice } from "../modules/kernel.ts";
import { type KernelLists, readKernelFiles } from "../modules/kernel-lists.ts";
import { readModprobeFiles } from "../modules/modprobe-files.ts";
import { unknownModule } from "../modules/modules.ts";
import { writeLine } from "../standard-output.ts";

/** `levain modules`. The exit status is 1 if a name or alias is unknown. */
export const modulesCommand = command({
  name: "modules",
  description: "Show which modules a name or a device's modalias loads, in order",
  args: {
    "name...": argument("Module names, or aliases such as a modalias"),
    kernel: option("VERSION", "Use this kernel (default: the running kernel)"),
    "modules-dir": option("DIR", "Read modules from DIR instead of /lib/modules/VERSION"),
    config: option("PATH", "Apply a modprobe.d file or directory (default: none)", "c"),
    json: flag("Print JSON"),
  },
  examples: {
    "levain modules xfs": "List xfs and the modules that it needs; status 1 if there is no such module",
    'levain modules "$(cat /sys/class/net/eth0/device/modalias)"': "Find the driver of a device",
    "levain modules -c /etc/modprobe.d e1000e": "Apply the blacklists and options of this host",
  },
  run: (line) => {
    const kernel = chooseKernel({ kernel: line.one("kernel"), modulesDir: line.one("modules-dir") });
    if (kernel === null) throw new UsageError("--kernel none has no modules to show");
    const source = readSource(kernel, line.one("config"));
    for (const problem of [...source.warnings, ...source.config.problems])
      console.error(`warning: ${printable(problem)}`);
    const answers = line.words.map((asked) => answer(source, asked));
    if (line.has("json")) writeLine(JSON.stringify(answers, null, 2));
    else writeLine(answers.flatMap((each) => formatAnswer(each, source)).join("\n"));
    return answers.some(({ result }) => result === "unknown") ? 1 : 0;
  },
});

function readSource(kernel: KernelChoice, config: string | null): ModuleSource & Pick<KernelLists, "warnings"> {
  const texts = readKernelFiles(kernel.modulesDir);
  const files = config === null ? [] : readConfigFiles(config);
  return {
    warnings: texts.warnings,
    index: buildModuleIndex(kernel.version, texts),
    config: parseModprobeConfig([...files, { name: "modules.softdep", text: texts.softdep }]),
  };
}

function readConfigFiles(path: string): readonly ConfigFile[] {
  if (isDirectory(path)) return readModprobeFiles([path]);
  const text = attempt(`cannot read the configuration ${path}`, () => readFileSync(path, "utf8"));
  return [{ name: basename(path), text }];
}

/** What one argument leads to, as `--json` prints it. */
function answer(source: ModuleSource, asked: string) {
  const targets = resolveModule(source, asked).map(({ name, blacklisted, missing, actions }) => ({
    ...{ name, blacklisted, missing },
    load: actions,
  }));
  const isBuiltin = targets.every(
    ({ load, missing }) => missing.length === 0 && load.every((action) => action.do === "builtin"),
  );
  const found = isBuiltin ? ("builtin" as const) : ("modules" as const);
  return { asked, result: targets.length === 0 ? ("unknown" as const) : found, targets };
}

function formatAnswer(
  { asked, result, targets }: ReturnType<typeof answer>,
  { index }: ModuleSource,
): readonly string[] {
  const title = printable(asked);
  if (result === "unknown") {
    const { seen } = unknownModule(index, asked);
    const near = seen.length > 0 ? ` (similar: ${seen.map(printable).join(", ")})` : "";
    return [`${title}: unknown to ${index.kernel}${near}`];
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
