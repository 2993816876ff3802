import packageJson from "../package.json" with { type: "json" };
import { parseInherited } from "./config/inherited.ts";
import { createLinuxMachine } from "./machine/linux.ts";
import { isStage0Word } from "./machine/linux-processes.ts";
import type { Machine } from "./machine/machine.ts";
import { runBoot } from "./session.ts";

const machine = createLinuxMachine();
if (machine.isBoot) bootMachine(machine);
else void runCommand(machine);

function bootMachine(machine: Machine): never {
  const inherited = parseInherited(machine.readFile("/proc/self/cmdline"), machine.readFile("/proc/self/environ"));
  const environment = inherited.environment.filter((word) => !isStage0Word(word));
  machine.handOver(runBoot(machine, packageJson.version, { ...inherited, environment }));
}

/** The desk's commands come by the one dynamic import there is: the boot must not pay for them. */
async function runCommand(machine: Machine): Promise<void> {
  const { runDesk } = await import("../build/cli.ts");
  process.exitCode = await runDesk(process.argv.slice(2), machine);
}
