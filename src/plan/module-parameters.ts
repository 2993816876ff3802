import { normaliseName, type Word } from "../parameters/cmdline.ts";
import { findParameters, type Settings } from "../parameters/parameters.ts";
import type { BootPlan } from "./plan.ts";
import type { RemotePlan } from "./remote/plan.ts";

/** Prefixes of other programs' parameters, which are not modules. */
const OTHERS: ReadonlySet<string> = new Set(
  "booster fsck locale luks mount plymouth quotacheck rd systemd udev vconsole".split(" "),
);

/** True if a parameter is MODULE.PARAMETER, with or without a value. */
export function isModuleParameter(word: Word): boolean {
  const dot = word.name.indexOf(".");
  if (dot <= 0 || dot === word.name.length - 1 || !/^[\w-]+$/.test(word.name.slice(0, dot))) return false;
  return !OTHERS.has(word.name.slice(0, dot)) && findParameters(word.name).length === 0;
}

/** Decides which modules to load, and how. */
export function decideModules(
  { modules, blacklist }: Settings,
  words: readonly Word[],
  { aoe }: RemotePlan,
): BootPlan["modules"] {
  // The driver looks for targets while it is loaded: on no other interface then.
  const ofAoe = aoe === null || aoe.interfaces.length === 0 ? {} : { aoe: `aoe_iflist=${aoe.interfaces.join(",")}` };
  return {
    load: [...new Set(modules)],
    parameters: { ...ofAoe, ...readModuleParameters(words) },
    blacklist: [...new Set(blacklist.map((name) => name.replaceAll("-", "_")))],
  };
}

/** Returns the parameters of each module, in order, as finit_module(2) takes them, from MODULE.PARAMETER=VALUE. */
function readModuleParameters(words: readonly Word[]): Readonly<Record<string, string>> {
  const dotOf = ({ name }: Word) => name.indexOf(".");
  const modules = Map.groupBy(words.filter(isModuleParameter), (word) =>
    normaliseName(word.name.slice(0, dotOf(word))),
  );
  const format = (word: Word) =>
    `${word.name.slice(dotOf(word) + 1)}${word.value === null ? "" : `=${quote(word.value)}`}`;
  return Object.fromEntries([...modules].map(([module, parameters]) => [module, parameters.map(format).join(" ")]));
}

/** The kernel splits module parameters by the same rules as its command line. */
function quote(value: string): string {
  return /\s/.test(value) && !value.includes('"') ? `"${value}"` : value;
}
