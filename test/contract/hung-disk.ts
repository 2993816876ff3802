import * as fs from "node:fs";
import { DM_DEV_SUSPEND } from "../../src/machine/abi/crypt.ts";
import { askDeviceMapper, openControl } from "../../src/machine/linux/storage/dm-ioctl.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { FIXTURES, readText } from "./case.ts";
import { expectNoMapping, mappingOf, tableLine } from "./mappings.ts";

/** Where `addHungDisk` makes the disk. */
export const HUNG = "/dev/mapper/hung";
/** linux/dm-ioctl.h: suspend instead of resume, and without waiting for the filesystem. */
const SUSPEND = (1 << 1) | (1 << 10);

/** Makes the first disk answer, or not, when it is used by the name `HUNG`. */
export function changeHungDisk(machine: Machine, answers: boolean): void {
  const fd = openControl(machine);
  askDeviceMapper(fd, DM_DEV_SUSPEND, "hung", { name: "hung", flags: answers ? 0 : SUSPEND });
  fs.closeSync(fd);
}

/** Makes `HUNG`: the first disk, which does not answer while it is suspended. */
export function addHungDisk(machine: Machine, isSuspended = true) {
  const number = machine.stat(`/dev/${FIXTURES.disk}`)?.represents ?? "";
  const sectors = Number(readText(machine, `/sys/class/block/${FIXTURES.disk}/size`));
  machine.createMapping(mappingOf("hung", tableLine("linear", sectors, `${number} 0`)));
  if (isSuspended) changeHungDisk(machine, false);
  return {
    suspend: () => changeHungDisk(machine, false),
    resume: () => changeHungDisk(machine, true),
    /** What was under way may end a little later. */
    remove() {
      for (let turn = 0; turn < 100 && machine.listMappings().length > 0; turn++) {
        try {
          machine.removeMapping("hung");
        } catch {
          machine.sleepMs(100);
        }
      }
      expectNoMapping(machine);
    },
  };
}
