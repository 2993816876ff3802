import { constants, zstdCompressSync } from "node:zlib";
import { HARDWARE_BUSES, MISSING_NAME } from "../../drivers/driverless.ts";
import { formatIndex, INDEX_NAME } from "../../drivers/index/index-file.ts";
import { parseAliases, parseBuiltinAliases, parsePathList, readLines } from "../../drivers/index/kernel-files.ts";
import { findModule, indexModules, type KernelFiles, type ModuleIndex } from "../../drivers/index/module-index.ts";
import { normalizeName } from "../../drivers/index/names.ts";
import { contentOfBytes } from "../archive/content.ts";
import { plainPath } from "./module-file.ts";

const HARDWARE = new RegExp(`^alias (${HARDWARE_BUSES.join("|")}):`);

/** Makes the index for the boot, and the lists of depmod that BusyBox's modprobe reads, for the modules `names`, whose files are at `pathOf`. */
export function cutLists(
  index: ModuleIndex,
  names: readonly string[],
  texts: KernelFiles,
  pathOf: (name: string) => string,
) {
  const chosen = new Set(names);
  const modules = names
    .flatMap((name) => findModule(index, name) ?? [])
    .map((line) => ({ ...line, path: pathOf(line.name) }));
  const aliases = parseAliases(texts.alias).filter(({ module }) => chosen.has(module));
  const softdep = readLines(texts.softdep)
    .filter((line) => chosen.has(normalizeName(line.split(/\s+/)[1] ?? "")))
    .map((line) => `${line}\n`)
    .join("");
  const image = indexModules(index.kernel, {
    modules,
    aliases,
    builtin: parsePathList(texts.builtin),
    builtinAliases: parseBuiltinAliases(texts.builtinModinfo),
    softDependencies: softdep,
  });
  const lists = {
    [INDEX_NAME]: formatIndex(image),
    "modules.dep": modules
      .map(({ path, dependencies }) => `${[`${path}:`, ...dependencies.map(pathOf)].join(" ")}\n`)
      .join(""),
    "modules.alias": cutAliases(texts.alias, (module) => chosen.has(module)),
    [MISSING_NAME]: listMissing(texts.alias, chosen),
    "modules.softdep": softdep,
    // Without suffixes, as depmod has it.
    "modules.order": modules.map(({ path }) => `${plainPath(path)}\n`).join(""),
    "modules.builtin": texts.builtin,
  };
  return Object.entries(lists).map(([name, text]) => ({
    path: `/lib/modules/${index.kernel}/${name}`,
    content: contentOfBytes(text),
  }));
}

/** Keeps lines unchanged: BusyBox does not treat '-' and '_' as equal. */
function cutAliases(text: string, isWanted: (module: string) => boolean): string {
  const lines = text.split("\n").filter((line) => isWanted(normalizeName(line.slice(line.lastIndexOf(" ") + 1))));
  return lines.map((line) => `${line}\n`).join("");
}

/** Lists the hardware aliases of modules that are not in the image, so that the boot can name them. */
function listMissing(text: string, chosen: ReadonlySet<string>): Uint8Array {
  const hardware = text.split("\n").filter((line) => HARDWARE.test(line));
  const lines = cutAliases(hardware.join("\n"), (module) => !chosen.has(module));
  return zstdCompressSync(lines, { params: { [constants.ZSTD_c_compressionLevel]: 12 } });
}
