import { answerOrder } from "../../src/keys/deriver.ts";
import { CHILD_COMMANDS } from "../../src/machine/child-commands.ts";
import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import { FIXTURES, loadModule } from "./case.ts";
import { CONTRACT, checkCase } from "./contract.ts";
import { LINUX_CASES } from "./linux-only.ts";

// The contract on the real kernel: the program of a guest that does nothing else. It says "ok" or "not ok" for each rule,
// how many there were, and turns the machine off.
const machine = createLinuxMachine();
if (process.argv[2] === CHILD_COMMANDS.derive) await machine.serveParent((order) => answerOrder(machine, order));
machine.makeDirectory("/sys");
machine.mount({ source: "sysfs", target: "/sys", type: "sysfs", flags: [], options: "" });
machine.makeDirectory("/dev/pts");
machine.mount({ source: "devpts", target: "/dev/pts", type: "devpts", flags: [], options: "" });

// As when a disk is unplugged: its driver lets go of it.
const hands = {
  pullOut(disk: string) {
    const device = machine.readLink(`/sys/class/block/${disk}`).split("/").at(-3) ?? "";
    machine.writeFile("/sys/bus/virtio/drivers/virtio_blk/unbind", device);
  },
  overflowEvents() {
    // Documentation/ABI/testing/sysfs-uevent: any UUID, and then words that make the event long.
    const event = `change 00000000-0000-4000-8000-000000000000 A=${"long".repeat(400)}`;
    for (let count = 0; count < 16_000; count++) machine.writeFile("/sys/block/vda/uevent", event);
  },
};

// What modules of the contract need on AArch64, where x86-64's kernel has it built in.
for (const name of ["dax", "xor-neon"])
  if (machine.stat(`${FIXTURES.modules}/${name}.ko`) !== null) loadModule(machine, name);

let failures = 0;
for (const one of [...CONTRACT, ...LINUX_CASES]) {
  try {
    checkCase(machine, one, hands);
    machine.writeConsole(`ok - ${one.name}\n`);
  } catch (error) {
    failures++;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    machine.writeConsole(`not ok - ${one.name}\n${reason}\n`);
  }
}
machine.writeConsole(`contract: ${CONTRACT.length + LINUX_CASES.length} rules, ${failures} broken\n`);
machine.power("poweroff");
