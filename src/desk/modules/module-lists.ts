import { constants, zstdCompressSync } from "node:zlib";
import { HARDWARE_BUSES, MISSING_NAME } from "../../drivers/driverless.ts";
import { formatIndex, INDEX_NAME } from "../../drivers/index/index-file.ts";
import { parseAliases, parseBuiltinAliases, parsePathList, readLines } from "../../drivers/index/kernel-files.ts";
import { findModule, indexModules, type KernelFiles, type ModuleIndex } from "../../drivers/index/module-index.ts";
import { normalizeName } from "../../drivers/index/names.ts";
import { contentOfBytes } from "../archive/content.ts";
import { plainPath } from "./module-file.ts";

/** Level 12 takes 60 ms longer for Debian's full kernel, and saves 8 KiB. */
const MISSING_LEVEL = 6;

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
  const aliases = cutAliases(texts.alias, chosen);
  const alias = endLines(aliases.chosen);
  const softdep = readLines(texts.softdep)
    .filter((line) => chosen.has(normalizeName(line.split(/\s+/)[1] ?? "")))
    .map((line) => `${line}\n`)
    .join("");
  const image = indexModules(index.kernel, {
    modules,
    aliases: parseAliases(alias),
    builtin: parsePathList(texts.builtin),
    builtinAliases: parseBuiltinAliases(texts.builtinModinfo),
    softDependencies: softdep,
  });
  const lists = {
    [INDEX_NAME]: formatIndex(image),
    "modules.dep": modules
      .map(({ path, dependencies }) => `${[`${path}:`, ...dependencies.map(pathOf)].join(" ")}\n`)
      .join(""),
    "modules.alias": alias,
    [MISSING_NAME]: listMissing(aliases.others),
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

/** Divides modules.alias into the lines of chosen modules and the others. Keeps them unchanged: BusyBox does not treat '-' and '_' as equal. */
function cutAliases(text: string, names: ReadonlySet<string>) {
  const chosen: string[] = [];
  const others: string[] = [];
  for (const line of text.split("\n")) {
    (names.has(normalizeName(line.slice(line.lastIndexOf(" ") + 1))) ? chosen : others).push(line);
  }
  return { chosen, others };
}

function endLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** Lists the hardware aliases of modules that are not in the image, so that the boot can name them. */
function listMissing(aliases: readonly string[]): Uint8Array {
  const lines = endLines(aliases.filter((line) => HARDWARE.test(line)));
  return zstdCompressSync(lines, { params: { [constants.ZSTD_c_compressionLevel]: MISSING_LEVEL } });
}
