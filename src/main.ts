import packageJson from "../package.json" with { type: "json" };
import { runBoot } from "./boot/session.ts";
import { answerOrder, DERIVE_COMMAND } from "./keys/deriver.ts";
import { createLinuxMachine } from "./machine/linux/linux.ts";
import type { Machine } from "./machine/machine.ts";
import { DOWNLOAD_COMMAND } from "./network/fetch/order.ts";
import { NFS_COMMAND } from "./network/nfs/order.ts";
import { NVME_COMMAND } from "./network/remote/nvme-order.ts";
import { parseInherited } from "./parameters/inherited.ts";
import { createRuns, RUN_COMMAND } from "./storage/kinds/firmware/run-apart.ts";

const machine = createLinuxMachine();
if (machine.isBoot) bootMachine(machine);
else if (process.argv[2] === DERIVE_COMMAND) void machine.serveParent((order) => answerOrder(machine, order));
else if (process.argv[2] === DOWNLOAD_COMMAND) void serveDownloads(machine);
else if (process.argv[2] === NFS_COMMAND) void serveNfs(machine);
else if (process.argv[2] === NVME_COMMAND) void serveNvme(machine);
else if (process.argv[2] === RUN_COMMAND) void machine.serveParent(createRuns(machine));
else void runCommand(machine);

function bootMachine(machine: Machine): never {
  // stage0's, not our own: stage0 has changed the environment that we got.
  const inherited = parseInherited(machine.readFile("/proc/1/cmdline"), machine.readFile("/proc/1/environ"));
  machine.handOver(runBoot(machine, packageJson.version, inherited));
}

/** As the commands, so that a boot without a network does not pay for it. */
async function serveDownloads(machine: Machine): Promise<never> {
  const { createDownloads } = await import("./network/fetch/serve.ts");
  return machine.serveParent(createDownloads(machine));
}

async function serveNfs(machine: Machine): Promise<never> {
  const { createNfsMounts } = await import("./network/nfs/serve.ts");
  return machine.serveParent(createNfsMounts(machine));
}

async function serveNvme(machine: Machine): Promise<never> {
  const { createNvmeConnections } = await import("./network/remote/serve-nvme.ts");
  return machine.serveParent(createNvmeConnections(machine));
}

/** The commands are loaded by a dynamic import, so that a boot does not pay for them. */
async function runCommand(machine: Machine): Promise<void> {
  const { runDesk } = await import("./desk/cli.ts");
  process.exitCode = await runDesk(process.argv.slice(2), machine);
}
