import packageJson from "../package.json" with { type: "json" };
import { runBoot } from "./boot/session.ts";
import { answerOrder, DERIVE_COMMAND } from "./keys/deriver.ts";
import { createLinuxMachine } from "./machine/linux/linux.ts";
import type { Machine } from "./machine/machine.ts";
import { parseInherited } from "./parameters/inherited.ts";

const machine = createLinuxMachine();
if (machine.isBoot) bootMachine(machine);
else if (process.argv[2] === DERIVE_COMMAND) machine.serveParent((order) => answerOrder(machine, order));
else void runCommand(machine);

function bootMachine(machine: Machine): never {
  // stage0's, not our own: stage0 has changed the environment that we got.
  const inherited = parseInherited(machine.readFile("/proc/1/cmdline"), machine.readFile("/proc/1/environ"));
  machine.handOver(runBoot(machine, packageJson.version, inherited));
}

/** The commands are loaded by a dynamic import, so that a boot does not pay for them. */
async function runCommand(machine: Machine): Promise<void> {
  const { runDesk } = await import("./desk/cli.ts");
  process.exitCode = await runDesk(process.argv.slice(2), machine);
}
