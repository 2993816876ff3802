import { CHILD_COMMANDS } from "./machine/child-commands.ts";
import { createLinuxMachine } from "./machine/linux/linux.ts";
import type { Machine } from "./machine/machine.ts";

type Answer = Parameters<Machine["serveParent"]>[0];

const machine: Machine = createLinuxMachine();

/** What this program does for a boot in a process of its own, by the first argument. */
const CHILDREN: Readonly<Record<string, () => Promise<Answer>>> = {
  [CHILD_COMMANDS.derive]: async () => {
    const { answerOrder } = await import("./keys/deriver.ts");
    return (order) => answerOrder(machine, order);
  },
  [CHILD_COMMANDS.run]: async () => (await import("./filesystems/run-apart.ts")).createRuns(machine),
  [CHILD_COMMANDS.download]: async () => (await import("./network/fetch/serve.ts")).createDownloads(machine),
  [CHILD_COMMANDS.unpack]: async () => (await import("./stack/archive/serve-archive.ts")).createUnpacker(machine),
  [CHILD_COMMANDS.nfs]: async () => (await import("./network/nfs/serve.ts")).createNfsMounts(machine),
  [CHILD_COMMANDS.nvme]: async () => (await import("./network/remote/serve-nvme.ts")).createNvmeConnections(machine),
  [CHILD_COMMANDS.save]: async () => (await import("./rescue/saved-log/serve.ts")).createLogWriter(machine),
  [CHILD_COMMANDS.qr]: async () => (await import("./rescue/qr/draw.ts")).createDrawings(),
  [CHILD_COMMANDS.iscsi]: async () => (await import("./network/remote/serve-iscsi.ts")).createIscsiLogins(machine),
};

void start(process.argv[2] ?? "");

/** Each loads what it needs: all of this program takes longer to load than the shortest of them to run. */
async function start(name: string): Promise<void> {
  if (machine.isBoot) (await import("./boot/start.ts")).startBoot(machine);
  const child = Object.hasOwn(CHILDREN, name) ? CHILDREN[name] : undefined;
  if (child !== undefined) await machine.serveParent(await child());
  else process.exitCode = await (await import("./desk/cli.ts")).runDesk(process.argv.slice(2), machine);
}
