import type { Machine } from "../machine/machine.ts";
import { listOrNone, readText } from "../machine/small-files.ts";
import { parseCommandLine } from "../parameters/cmdline.ts";
import type { MachineIdentity } from "../plan/machines/match.ts";
import { orIfRefused } from "../problems/errors.ts";

const INTERFACES = "/sys/class/net";
const DMI = "/sys/class/dmi/id";
/** Of machines without DMI (Documentation/devicetree/usage-model.rst). */
const DEVICE_TREE = "/proc/device-tree";
/** What firmware has if its maker left the field alone. */
const PLACEHOLDER =
  /^(?:to be filled|default string|system (?:serial|product)|not (?:specified|applicable)|none$|n\/a$|[0.\s-]*$)/i;

/** Returns what is known of this machine: by /sys, and by the BOOTIF= of its boot loader. */
export function readIdentity(machine: Pick<Machine, "readFile" | "listDirectory">): MachineIdentity {
  const first = (...paths: readonly string[]) => paths.map((path) => readField(machine, path)).find(Boolean) ?? null;
  const hostname = readField(machine, "/proc/sys/kernel/hostname");
  return {
    macs: readMacs(machine),
    uuid: first(`${DMI}/product_uuid`),
    serial: first(`${DMI}/product_serial`, `${DEVICE_TREE}/serial-number`),
    product: first(`${DMI}/product_name`, `${DEVICE_TREE}/model`),
    hostname: hostname === "(none)" ? null : hostname,
  };
}

function readField(machine: Pick<Machine, "readFile">, path: string): string | null {
  const text = orIfRefused(() => readText(machine, path), "")
    .replaceAll("\0", "")
    .trim();
  return PLACEHOLDER.test(text) ? null : text;
}

function readMacs(machine: Pick<Machine, "readFile" | "listDirectory">): readonly string[] {
  const own = listOrNone(machine, INTERFACES).map((name) => readField(machine, `${INTERFACES}/${name}/address`) ?? "");
  const cmdline = orIfRefused(() => machine.readFile("/proc/cmdline"), new Uint8Array());
  const bootIf = parseCommandLine(cmdline).words.findLast(({ name }) => name === "BOOTIF")?.value ?? "";
  // PXELINUX puts the type of the hardware in front: 01 is Ethernet.
  const ofLoader = bootIf.replace(/^01-/, "").replaceAll("-", ":");
  return [...own, ofLoader].map((mac) => mac.toLowerCase()).filter((mac) => /^(?:[\da-f]{2}:){5}[\da-f]{2}$/.test(mac));
}
