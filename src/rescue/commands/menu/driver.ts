import { planMachine } from "../../../boot/plan-reader.ts";
import { describeDriverless } from "../../../drivers/driverless.ts";
import { createLoader } from "../../../drivers/loader.ts";
import { readImageModules } from "../../../drivers/module-source.ts";
import type { Machine } from "../../../machine/machine.ts";
import { suggest } from "../../../parameters/near-misses.ts";
import type { BootPlan } from "../../../plan/plan.ts";
import { printable } from "../../../problems/report.ts";
import { keepParameters } from "../retry.ts";
import { attempt, type MenuEnd, type MenuTools, showAndWait } from "./tools.ts";

/** Loads a module that a person names, also one that a blacklist keeps out, with its dependencies; the next retry loads it too. */
export function loadDriver(tools: MenuTools): MenuEnd | null {
  const { machine, screen, voice } = tools;
  const { modules } = attempt(tools, () => planMachine(machine, { ...voice, warn: () => undefined }).plan) ?? NO_PLAN;
  screen.show([...describeDriverless(machine), ...describeBlacklist(modules)]);
  const name = screen.ask("name of the module> ");
  if (name === null || name === "") return null;
  const loader = createLoader(machine, { ...modules, load: [], blacklist: [] }, voice);
  const result = loader.loadByName(name);
  loader.loadMore();
  switch (result) {
    case "unknown":
      showAndWait(tools, [
        `this image has no module ${name}${suggest(name, listNames(machine, modules))}`,
        `to add it, on another machine: levain image --module ${name}, or modules = ["${name}"] in levain.toml`,
      ]);
      return null;
    case "failed":
      showAndWait(tools, [`the kernel refused the module ${name}: information shows its words`]);
      return null;
    default:
      showAndWait(tools, [`the module ${name} is loaded`, describeKept(machine, modules, name)]);
      return null;
  }
}

/** Keeps the module for the next retry, which says how the next boot loads it too; but a blacklist stays in force. */
function describeKept(machine: Machine, { blacklist }: BootPlan["modules"], name: string): string {
  if (blacklist.includes(name.replaceAll("-", "_")))
    return "to load it at each boot, remove it from the blacklist of the kernel command line";
  keepParameters(machine, [`rd.modules=${name}`]);
  return "retry keeps it for this boot";
}

const NO_PLAN: Pick<BootPlan, "modules"> = { modules: { load: [], parameters: {}, blacklist: [] } };

function describeBlacklist({ blacklist }: BootPlan["modules"]): readonly string[] {
  return blacklist.length === 0 ? [] : [`the command line keeps out: ${blacklist.map(printable).join(", ")}`];
}

function listNames(machine: Machine, modules: BootPlan["modules"]): readonly string[] {
  const lines = readImageModules(machine, modules)?.index.modules.split("\n") ?? [];
  return lines.map((line) => line.slice(0, line.indexOf("\t")));
}
