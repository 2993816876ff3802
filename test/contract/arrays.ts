import { equal, ok } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import { fakeMember } from "../support/fake-arrays.ts";
import { fakeImage } from "../support/fake-images.ts";
import { type ContractCase, loadModule, refuses } from "./case.ts";
import { changeHungDisk } from "./hung-disk.ts";
import { mappingOf, tableLine } from "./mappings.ts";

const ARRAY = "md127";
const CONTENT = fakeImage("ext4", { label: "mirrored", sizeBytes: 1 << 20 });
const numberOf = (machine: Machine, node: string) => machine.stat(node)?.represents ?? "";

/** Two members of a mirror in loop devices; returns their nodes. */
function makeMembers(machine: Machine, directory: string): readonly [string, string] {
  const attach = (place: number) => {
    machine.writeFile(`${directory}/member${place}`, fakeMember(CONTENT, { place }));
    return machine.attachLoop({ file: `${directory}/member${place}`, readOnly: false });
  };
  return [attach(0), attach(1)];
}

/** Arrays of Linux RAID, once device mapper is loaded. */
export const ARRAY_CASES: readonly ContractCase[] = [
  {
    name: "a mirror is started by the superblocks of its members, shows their data, and holds them until it is stopped",
    check(machine, directory) {
      for (const name of ["md-mod", "raid1"]) loadModule(machine, name);
      const loops = makeMembers(machine, directory);
      const members = loops.map((node) => numberOf(machine, node));
      equal(machine.startArray({ name: ARRAY, metadata: "1.2", members }).isStarted(20_000), true);
      const reader = machine.openReader(`/dev/${ARRAY}`);
      equal(reader.size, CONTENT.bytes.length);
      equal(Buffer.from(reader.read(1024 + 0x38, 2)).toString("hex"), "53ef");
      reader.close();
      equal(machine.listDirectory(`/sys/class/block/${ARRAY}/slaves`).length, 2);
      refuses("EBUSY", () => machine.startArray({ name: "md126", metadata: "1.2", members }).isStarted(20_000));
      machine.stopArray(ARRAY);
      for (const loop of loops) machine.detachLoop(loop);
    },
  },
  {
    name: "an array is not made of devices without a superblock, which are free afterwards",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, new Uint8Array(3 << 20));
      const loop = machine.attachLoop({ file: `${directory}/file`, readOnly: false });
      const members = [numberOf(machine, loop)];
      const refused = machine.startArray({ name: ARRAY, metadata: "1.2", members });
      refuses("EINVAL", () => refused.isStarted(20_000));
      machine.detachLoop(loop);
    },
  },
];

/** What only the kernel does. */
export const LINUX_ARRAY_CASES: readonly ContractCase[] = [
  {
    name: "a member that does not answer holds up the start of its array, not the caller",
    check(machine, directory) {
      const loops = makeMembers(machine, directory);
      const sectors = fakeMember(CONTENT, { place: 0 }).length / 512;
      const [first, second] = loops.map((node) => numberOf(machine, node)) as [string, string];
      const { device } = machine.createMapping(mappingOf("hung", tableLine("linear", sectors, `${first} 0`)));
      changeHungDisk(machine, false);
      const members = [numberOf(machine, `/dev/${device}`), second];
      const startMs = machine.nowMs();
      const pending = machine.startArray({ name: ARRAY, metadata: "1.2", members });
      equal(pending.isStarted(200), false);
      ok(machine.nowMs() - startMs < 5000);
      changeHungDisk(machine, true);
      equal(pending.isStarted(20_000), true);
      equal(pending.isStarted(0), true);
      machine.stopArray(ARRAY);
      machine.removeMapping("hung");
      for (const loop of loops) machine.detachLoop(loop);
    },
  },
  {
    name: "an array of more members than one order has calls for is started",
    check(machine, directory) {
      const disks = 40;
      const loops = Array.from({ length: disks }, (_, place) => {
        const small = fakeImage("ext4", { sizeBytes: 256 << 10 });
        machine.writeFile(`${directory}/member`, fakeMember(small, { place, disks }));
        machine.rename(`${directory}/member`, `${directory}/member${place}`);
        return machine.attachLoop({ file: `${directory}/member${place}`, readOnly: false });
      });
      const members = loops.map((node) => numberOf(machine, node));
      equal(machine.startArray({ name: ARRAY, metadata: "1.2", members }).isStarted(60_000), true);
      equal(machine.listDirectory(`/sys/class/block/${ARRAY}/slaves`).length, disks);
      machine.stopArray(ARRAY);
      for (const loop of loops) machine.detachLoop(loop);
    },
  },
];
