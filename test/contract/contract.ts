import type { Machine } from "../../src/machine/machine.ts";
import { ARRAY_CASES } from "./arrays.ts";
import type { ContractCase, Hands } from "./case.ts";
import { CHILD_CASES } from "./children.ts";
import { CLOCK_CASES } from "./clock.ts";
import { COPY_CASES } from "./copies.ts";
import { CRYPT_TABLE_CASES } from "./crypt-tables.ts";
import { DEVICE_MAPPER_CASES } from "./device-mapper.ts";
import { DISK_CASES } from "./disks.ts";
import { FILE_CASES } from "./files.ts";
import { KERNEL_CIPHER_CASES } from "./kernel-ciphers.ts";
import { KEY_DERIVATION_CASES } from "./key-derivation.ts";
import { LOOP_CASES } from "./loops.ts";
import { MODULE_CASES } from "./modules.ts";
import { MOUNT_CASES } from "./mounts.ts";
import { MOVE_CASES } from "./moves.ts";
import { OPEN_TREE_CASES } from "./open-trees.ts";
import { OVERLAY_CASES } from "./overlays.ts";
import { PROCESS_CASES } from "./processes.ts";
import { TERMINAL_CASES } from "./terminals.ts";
import { TREE_CASES } from "./trees.ts";
import { UNTOUCHED_CASES } from "./untouched.ts";
import { VERITY_TABLE_CASES } from "./verity-tables.ts";

/** Every rule that the fake machine claims, in the order to check them: one machine goes through all of them. */
export const CONTRACT: readonly ContractCase[] = [
  ...FILE_CASES,
  ...COPY_CASES,
  ...OPEN_TREE_CASES,
  ...TREE_CASES,
  ...MOUNT_CASES,
  ...MOVE_CASES,
  ...MODULE_CASES,
  ...DISK_CASES,
  ...UNTOUCHED_CASES,
  ...LOOP_CASES,
  ...KERNEL_CIPHER_CASES,
  ...DEVICE_MAPPER_CASES,
  ...CRYPT_TABLE_CASES,
  ...VERITY_TABLE_CASES,
  ...ARRAY_CASES,
  ...OVERLAY_CASES,
  ...PROCESS_CASES,
  ...CLOCK_CASES,
  ...TERMINAL_CASES,
  ...KEY_DERIVATION_CASES,
  ...CHILD_CASES,
];

const PLACE = "/contract";

/** Checks one rule in a directory of its own; throws where it does not hold, and leaves nothing mounted. */
export function checkCase(machine: Machine, { check }: ContractCase, hands: Hands): void {
  machine.makeDirectory(PLACE);
  machine.mount({ source: "tmpfs", target: PLACE, type: "tmpfs", flags: [], options: "" });
  try {
    machine.makeDirectory(`${PLACE}/case`);
    check(machine, `${PLACE}/case`, hands);
  } finally {
    machine.unmount(PLACE, true);
  }
}
