import packageJson from "../package.json" with { type: "json" };
import { createLinuxMachine } from "./machine/linux.ts";
import { runBoot } from "./session.ts";

const machine = createLinuxMachine();
const argv = process.argv.slice(2);

if (machine.isBoot) {
  const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ""}`);
  machine.handOver(runBoot(machine, packageJson.version, { argv, environment }));
} else {
  // The one import of the builder: the boot must not pay for it.
  const { runDesk } = await import("../build/cli.ts");
  process.exitCode = await runDesk(argv, machine);
}
