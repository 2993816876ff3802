import type { Context } from "../../drivers/context.ts";
import type { Loader } from "../../drivers/loader.ts";
import { problem } from "../../problems/problem.ts";

/** The version of a device-mapper target, as the kernel reports it. */
export type TargetVersion = readonly [number, number, number];

type TargetContext = Pick<Context, "machine"> & { readonly drivers: Pick<Loader, "loadByName"> };

/** Makes sure that the kernel has a device-mapper target, whose module is `dm-TYPE` by default; returns its version. Throws BootError if it has none. */
export function requireTarget({ machine, drivers }: TargetContext, type: string, module = `dm-${type}`): TargetVersion {
  const known = machine.mappingTargetVersion(type);
  if (known !== null) return known;
  drivers.loadByName("dm-mod");
  drivers.loadByName(module);
  const version = machine.mappingTargetVersion(type);
  if (version === null) throw problem("no-mapping-target", { module });
  return version;
}
