import { planMachine } from "../../boot/plan-reader.ts";
import { describeDevice, describeObstacle, listBlockDeviceNames } from "../../devices/block-devices.ts";
import { describeUnanswered } from "../../devices/device-probe.ts";
import { readBlockDevices } from "../../devices/read-devices.ts";
import { describeDriverless } from "../../drivers/driverless.ts";
import { findUnpackFailure } from "../../drivers/unpack-failure.ts";
import { findShell } from "../../filesystems/busybox.ts";
import { listConsoles } from "../../log/consoles.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone, textOrNone } from "../../machine/small-files.ts";
import { BootError } from "../../problems/errors.ts";
import { printable, sentence } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import { readKept } from "../shell.ts";

/** What is wrong with a part of the machine or the image, as lines; empty if nothing is. */
type Check = (machine: Machine) => readonly string[];

/** A clock before this year has no battery, or was never set. */
const FIRST_YEAR_MS = Date.UTC(2024, 0);
const LEAST_MEMORY_KIB = 64 << 10;

/** THE table of what `levain doctor` looks at in an initramfs. */
const CHECKS: Readonly<Record<string, Check>> = {
  image(machine) {
    const failure = findUnpackFailure(machine);
    return failure === null ? [] : [sentence(failure)];
  },
  drivers: describeDriverless,
  parameters(machine) {
    const warnings: string[] = [];
    const voice = {
      warn: (text: string) => void warnings.push(text),
      debug: () => undefined,
      progress: () => undefined,
    };
    try {
      const made = planMachine(machine, voice, { added: readKept(machine) });
      const noRoot = made.plan.root.kind === "none" ? ["no root= names a root: levain set root=LABEL=NAME"] : [];
      return [...noRoot, ...warnings, ...made.warnings];
    } catch (error) {
      if (error instanceof BootError) return [sentence(error)];
      throw error;
    }
  },
  disks(machine) {
    const { devices, unanswered } = readBlockDevices(machine, listBlockDeviceNames(machine));
    const bad = devices.filter((device) => describeObstacle(device) !== null).map(describeDevice);
    const none = devices.length + unanswered.length === 0 ? ["no block device: the disk or its driver is missing"] : [];
    return [...none, ...bad, ...unanswered.map(describeUnanswered)];
  },
  memory(machine) {
    const kib = Number(/^MemAvailable: +(\d+)/m.exec(textOrNone(machine, "/proc/meminfo"))?.[1] ?? Number.NaN);
    return kib < LEAST_MEMORY_KIB ? [`only ${formatBytes(kib * 1024)} are free`] : [];
  },
  clock: (machine) =>
    machine.timeOfDayMs() < FIRST_YEAR_MS
      ? [
          `it shows ${new Date(machine.timeOfDayMs()).toISOString().slice(0, 10)}: certificates are refused until it is set`,
        ]
      : [],
  network(machine) {
    const cards = listOrNone(machine, "/sys/class/net").filter((name) => name !== "lo");
    const isDown = (name: string) => textOrNone(machine, `/sys/class/net/${name}/carrier`).trim() === "0";
    return cards.filter(isDown).map((name) => `${name} has no cable, or no link`);
  },
  consoles: (machine) => (listConsoles(machine)[0] === "/dev/console" ? ["no terminal is known but /dev/console"] : []),
  shell: (machine) => (findShell(machine) === null ? ["the image has none: levain image --busybox FILE"] : []),
};

/** Formats what `levain doctor` finds in an initramfs, a line or more for each part; `isFine`: nothing is wrong. */
export function describeHealth(machine: Machine): { readonly lines: readonly string[]; readonly isFine: boolean } {
  const found = Object.entries(CHECKS).map(([name, check]) => ({ name, faults: check(machine) }));
  const lines = found.flatMap(({ name, faults }) =>
    faults.length === 0
      ? [`  ok      ${name}`]
      : faults.map((fault) => `  LOOK    ${name.padEnd(10)}  ${printable(fault)}`),
  );
  return { lines, isFine: found.every(({ faults }) => faults.length === 0) };
}
