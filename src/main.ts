import packageJson from "../package.json" with { type: "json" };
import { runBoot } from "./boot/session.ts";
import { answerOrder, DERIVE_COMMAND } from "./keys/deriver.ts";
import { createLinuxMachine } from "./machine/linux/linux.ts";
import type { Machine } from "./machine/machine.ts";
import { DOWNLOAD_COMMAND } from "./network/fetch/order.ts";
import { NFS_COMMAND } from "./network/nfs/order.ts";
import { ISCSI_COMMAND } from "./network/remote/iscsi-order.ts";
import { NVME_COMMAND } from "./network/remote/nvme-order.ts";
import { parseInherited } from "./parameters/inherited.ts";
import { createRuns, RUN_COMMAND } from "./storage/kinds/run-apart.ts";

type Answer = Parameters<Machine["serveParent"]>[0];

const machine: Machine = createLinuxMachine();

/** What this program does for a boot in a process of its own, by the first argument. What few boots need is loaded only then. */
const CHILDREN = new Map<string | undefined, () => Answer | Promise<Answer>>([
  [DERIVE_COMMAND, () => (order) => answerOrder(machine, order)],
  [RUN_COMMAND, () => createRuns(machine)],
  [DOWNLOAD_COMMAND, async () => (await import("./network/fetch/serve.ts")).createDownloads(machine)],
  [NFS_COMMAND, async () => (await import("./network/nfs/serve.ts")).createNfsMounts(machine)],
  [NVME_COMMAND, async () => (await import("./network/remote/serve-nvme.ts")).createNvmeConnections(machine)],
  [ISCSI_COMMAND, async () => (await import("./network/remote/serve-iscsi.ts")).createIscsiLogins(machine)],
]);

const child = CHILDREN.get(process.argv[2]);
if (machine.isBoot) bootMachine();
else if (child) void serve(child);
else void runCommand();

function bootMachine(): never {
  // stage0's, not our own: stage0 has changed the environment that we got.
  const inherited = parseInherited(machine.readFile("/proc/1/cmdline"), machine.readFile("/proc/1/environ"));
  machine.handOver(runBoot(machine, packageJson.version, inherited));
}

async function serve(create: () => Answer | Promise<Answer>): Promise<never> {
  return machine.serveParent(await create());
}

/** The commands are loaded by a dynamic import, so that a boot does not pay for them. */
async function runCommand(): Promise<void> {
  const { runDesk } = await import("./desk/cli.ts");
  process.exitCode = await runDesk(process.argv.slice(2), machine);
}
