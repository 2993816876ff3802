import { normaliseName, type Word } from "../parameters/cmdline.ts";
import { findParameters, type Settings } from "../parameters/parameters.ts";
import type { BootPlan } from "./plan.ts";

/** First parts of dotted words that other programs have taken, so that no module is meant. */
const OTHERS: ReadonlySet<string> = new Set(
  "booster fsck locale luks mount plymouth quotacheck rd systemd udev vconsole".split(" "),
);

/** True where a word is MODULE.PARAMETER, with or without a value. */
export function isModuleParameter(word: Word): boolean {
  const dot = word.name.indexOf(".");
  if (dot <= 0 || dot === word.name.length - 1 || !/^[\w-]+$/.test(word.name.slice(0, dot))) return false;
  return !OTHERS.has(word.name.slice(0, dot)) && findParameters(word.name).length === 0;
}

/** What is asked of the module loader, everything considered. */
export function decideModules({ modules, blacklist }: Settings, words: readonly Word[]): BootPlan["modules"] {
  return {
    load: [...new Set(modules)],
    parameters: readModuleParameters(words),
    blacklist: [...new Set(blacklist.map((name) => name.replaceAll("-", "_")))],
  };
}

/** MODULE.PARAMETER=VALUE words as the parameters of each module, in their order, as finit_module(2) takes them. */
export function readModuleParameters(words: readonly Word[]): Readonly<Record<string, string>> {
  const modules = new Map<string, string[]>();
  for (const word of words) {
    if (!isModuleParameter(word)) continue;
    const dot = word.name.indexOf(".");
    const module = normaliseName(word.name.slice(0, dot));
    const parameter = word.name.slice(dot + 1);
    const parameters = modules.get(module) ?? [];
    parameters.push(word.value === null ? parameter : `${parameter}=${quote(word.value)}`);
    modules.set(module, parameters);
  }
  return Object.fromEntries([...modules].map(([module, parameters]) => [module, parameters.join(" ")]));
}

/** The kernel splits a module's parameters by the same rules as its own command line. */
function quote(value: string): string {
  return /\s/.test(value) && !value.includes('"') ? `"${value}"` : value;
}
