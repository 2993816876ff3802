import { listDriverless } from "../../drivers/driverless.ts";
import type { Machine } from "../../machine/machine.ts";
import { textOrNone } from "../../machine/small-files.ts";
import type { SearchCause } from "../../problems/causes/search.ts";

type Found = Omit<SearchCause, "parameter">;

const MOST = 3;
/** What has no disk behind it. */
const OTHER_CONTROLLER = /keyboard|FireWire|filesystem/;
/** What disks depend on, by /sys/bus/pci/devices/…/class: storage, USB controllers, SD card controllers. */
const DISK_CLASS = /^0x(?:01|0c03|0805)/;
/** Messages of the kernel's firmware loader about a missing file, and of Debian's: driver, device, file. */
const FIRMWARE_LINES = [
  /^(\S+) ([\w.:-]+): Direct firmware load for (\S+) failed with error -2\b/,
  /^(\S+) ([\w.:-]+): firmware: failed to load (\S+) \(-2\)/,
];
/** As kernel/module/signing.c and security/lockdown say it. */
const SIGNATURE_LINE = /^Loading of .*module.* is rejected|^Lockdown: .*module.* is restricted/;

/** Returns why disks may have no driver: the image lacks the module or the firmware, or the kernel refuses modules. */
export function findDriverCauses(machine: Machine, isAnyDevicePresent: boolean): readonly Found[] {
  const log = machine.readKernelLog().map(({ text }) => text);
  const untrusted = isAnyDevicePresent ? [] : findUntrusted(log);
  return [...findAbsent(machine), ...findFirmware(machine, log), ...untrusted].slice(0, MOST);
}

function findAbsent(machine: Machine): readonly Found[] {
  return listDriverless(machine)
    .filter(
      ({ modules, controller }) => modules.length > 0 && controller !== null && !OTHER_CONTROLLER.test(controller),
    )
    .map(({ directory, controller, modules }) => {
      const place = directory.slice(directory.lastIndexOf("/") + 1);
      return { kind: "driver-absent", subject: `${controller} ${place}`, detail: modules };
    });
}

function findFirmware(machine: Machine, log: readonly string[]): readonly Found[] {
  const found = log.flatMap((line): readonly Found[] => {
    const [, driver = "", device = "", file = ""] =
      FIRMWARE_LINES.map((pattern) => pattern.exec(line)).find(Boolean) ?? [];
    const kind = device === "" ? "" : textOrNone(machine, `/sys/bus/pci/devices/${device}/class`);
    // A driver that is bound has found another file, or needs none.
    const isBound = machine.lstat(`/sys/bus/pci/devices/${device}/driver`) !== null;
    return DISK_CLASS.test(kind) && !isBound
      ? [{ kind: "firmware-absent", subject: `${driver} ${device}`, detail: [file] }]
      : [];
  });
  return [...new Map(found.map((one) => [one.detail[0], one])).values()];
}

function findUntrusted(log: readonly string[]): readonly Found[] {
  return log.some((line) => SIGNATURE_LINE.test(line)) ? [{ kind: "modules-untrusted", subject: "", detail: [] }] : [];
}
