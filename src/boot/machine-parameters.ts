import { loadAllDrivers } from "../drivers/loader.ts";
import type { Machine } from "../machine/machine.ts";
import { findMachines, namesMac } from "../plan/machines/match.ts";
import type { Manifest } from "../plan/manifest.ts";
import type { BootPlan } from "../plan/plan.ts";
import type { Voice } from "../problems/voice.ts";
import { readIdentity } from "./machine-identity.ts";

/**
 * Returns the parameters of the tables [machine."…"] that are for this machine. If one is named by a hardware address that
 * belongs to no interface yet, the drivers are loaded first, as `planWithout`, the plan without tables, says.
 */
export function readMachineParameters(
  machine: Machine,
  voice: Voice,
  manifest: Manifest | null,
  planWithout: () => Pick<BootPlan, "modules">,
): readonly string[] {
  const tables = manifest?.machines ?? {};
  const names = Object.keys(tables);
  if (names.length === 0) return [];
  const find = () => findMachines(names, readIdentity(machine));
  const early = find();
  if (namesMac(names) && !namesMac(early)) loadAllDrivers(machine, planWithout().modules, voice);
  const found = namesMac(early) ? early : find();
  if (found.length > 0) voice.debug(`parameters of levain.toml for ${found.join(" and ")}`);
  return found.flatMap((name) => tables[name] ?? []);
}
