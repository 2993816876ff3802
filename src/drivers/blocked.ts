import type { Machine } from "../machine/machine.ts";
import { bytesOrNone } from "../machine/small-files.ts";
import { normaliseName, parseCommandLine } from "../parameters/cmdline.ts";
import { printable } from "../problems/report.ts";
import { judgeInstall } from "./index/modprobe-config.ts";
import type { Target } from "./index/resolution.ts";

/** A driver that the hardware or a mount asked for, and that a blacklist keeps out. */
export interface BlockedDriver {
  readonly module: string;
  /** The alias that asked for it: of hardware, or fs-TYPE; null for its name. */
  readonly alias: string | null;
  /** Below /lib/modules/VERSION; null if it has no file. */
  readonly path: string | null;
  /** What keeps it out, as a person finds it: "modprobe.blacklist=virtio_blk", or a line of modprobe.d. */
  readonly by: string;
  /** Where that is; a parameter that is not on the command line comes from the image or from `levain retry`. */
  readonly place: "command line" | "image parameters" | "modprobe.d";
}

const PARAMETERS = ["module_blacklist", "modprobe.blacklist", "rd.driver.blacklist", "blacklist"];

/** Returns why `target` is not loaded although the image has it; null if no blacklist and no install line forbids it. `named` are the modules that parameters blacklist. */
export function findBlock(machine: Machine, target: Target, named: readonly string[]): BlockedDriver | null {
  const { name, alias, blacklisted, actions } = target;
  const own = actions.find((action) => action.name === name);
  const path = own === undefined || own.do === "builtin" ? null : own.path;
  const driver = { module: printable(name), alias, path };
  const { module } = driver;
  if (blacklisted && named.includes(name)) return { ...driver, ...findWord(machine, name) };
  if (blacklisted) return { ...driver, by: `blacklist ${module}`, place: "modprobe.d" };
  if (own?.do !== "install" || judgeInstall(own.command) === null) return null;
  return { ...driver, by: `install ${module} ${printable(own.command)}`, place: "modprobe.d" };
}

/** Returns the parameter as it is on the kernel command line; one from elsewhere in the kernel's spelling. */
function findWord(machine: Machine, module: string): Pick<BlockedDriver, "by" | "place"> {
  const { words } = parseCommandLine(bytesOrNone(machine, "/proc/cmdline"));
  const isIt = (word: (typeof words)[number]) =>
    PARAMETERS.includes(word.name) && (word.value ?? "").split(",").some((name) => normaliseName(name) === module);
  const word = words.find(isIt);
  if (word === undefined) return { by: printable(`module_blacklist=${module}`), place: "image parameters" };
  return { by: printable(word.text), place: "command line" };
}
