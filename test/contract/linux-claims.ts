import { equal, notEqual, throws } from "node:assert/strict";
import { claimDisk } from "../../src/desk/usb/disk/claim.ts";
import { findDisk, identifyDisk } from "../../src/desk/usb/disk/disk.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { type ContractCase, FIXTURES, makeMedium, mountTmpfs, readText } from "./case.ts";
import { addHungDisk } from "./hung-disk.ts";

/** Mounts $1 at $2 where only this process sees it, writes its number to $3, and waits. */
const MOUNT_APART =
  'b=$0; $b unshare -m $b sh -c "$b mount -t squashfs -o ro $1 $2; echo \\$\\$ >$3; exec $b sleep 600" & until [ -s "$3" ]; do $b usleep 1000; done';

function claim(machine: Machine, path: string) {
  const disk = findDisk(machine, path);
  if (disk === null) throw new Error(`${path} is no disk`);
  return claimDisk(machine, disk, false);
}

/** How `levain usb` learns from the kernel that a disk is in use, or another one. */
export const LINUX_CLAIM_CASES: readonly ContractCase[] = [
  {
    name: "a disk is not claimed while a mount of another namespace or a volume holds it",
    check(machine, directory) {
      const device = machine.attachLoop({ file: makeMedium(machine, directory), readOnly: false });
      const [place, note] = [`${directory}/place`, `${directory}/pid`];
      mountTmpfs(machine, place);
      machine.run([FIXTURES.busybox, "sh", "-c", MOUNT_APART, FIXTURES.busybox, device, place, note]);
      equal(machine.stat(`${place}/hello`), null);
      throws(() => claim(machine, device), /the kernel says that it is in use/);
      machine.run([FIXTURES.busybox, "kill", "-9", readText(machine, note).trim()]);
      machine.detachLoop(device);
      const volume = addHungDisk(machine, false);
      throws(() => claim(machine, `/dev/${FIXTURES.disk}`), /the kernel says that it is in use/);
      volume.remove();
      const free = claim(machine, `/dev/${FIXTURES.disk}`);
      equal(free.isExclusive, true);
      free.check();
      free.release();
    },
  },
  {
    name: "another medium in the same drive makes another disk of it",
    check(machine, directory) {
      const file = makeMedium(machine, directory);
      const first = machine.attachLoop({ file, readOnly: true });
      const number = machine.stat(first)?.represents ?? "";
      const before = identifyDisk(machine, number);
      machine.detachLoop(first);
      const second = machine.attachLoop({ file, readOnly: true });
      equal(second, first);
      notEqual(identifyDisk(machine, number), before);
      machine.detachLoop(second);
    },
  },
];
