import packageJson from "../package.json" with { type: "json" };
import { runBoot } from "./boot/session.ts";
import { answerOrder, DERIVE_COMMAND } from "./keys/derivation-order.ts";
import { createLinuxMachine } from "./machine/linux/linux.ts";
import type { Machine } from "./machine/machine.ts";
import { parseInherited } from "./parameters/inherited.ts";

const machine = createLinuxMachine();
if (machine.isBoot) bootMachine(machine);
else if (process.argv[2] === DERIVE_COMMAND) machine.serveParent((order) => answerOrder(machine, order));
else void runCommand(machine);

function bootMachine(machine: Machine): never {
  // Of stage0, not our own: it has put words into ours and left some of the kernel's out.
  const inherited = parseInherited(machine.readFile("/proc/1/cmdline"), machine.readFile("/proc/1/environ"));
  machine.handOver(runBoot(machine, packageJson.version, inherited));
}

/** The desk's commands come by the one dynamic import there is: the boot must not pay for them. */
async function runCommand(machine: Machine): Promise<void> {
  const { runDesk } = await import("./desk/cli.ts");
  process.exitCode = await runDesk(process.argv.slice(2), machine);
}
