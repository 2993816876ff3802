import type { Context } from "../../drivers/context.ts";
import { bringUpNetwork } from "../../network/bring-up.ts";
import { leftFiles, resolvConf } from "../../network/files/files.ts";
import type { LeftFile } from "../../network/files/left-file.ts";
import type { NetworkUp, UpInterface } from "../../network/up.ts";
import type { NetworkPlan } from "../../plan/network/plan.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError, isErrno, tolerateRefusal } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal, headline } from "../../problems/report.ts";
import type { PlanAdditions } from "../plan-reader.ts";
import { fetchConfig } from "./config.ts";

/** Brings the network up if the plan needs it; null: it is not needed, or the boot goes on without it. Throws BootError. */
export function connect(context: Context, plan: NetworkPlan): NetworkUp | null {
  if (!plan.isNeeded) return null;
  const network = plan.isOptional ? bringUpOrNot(context, plan) : bringUpNetwork(context, plan);
  if (network === null) return null;
  // The name servers of programs in the initramfs.
  leaveFile(context, { path: "/etc/resolv.conf", content: resolvConf(network) });
  return network;
}

/** Completes the plan by what the network has to say: the configuration of rd.config=, and the root path that root=dhcp obeys. Throws BootError. */
export function completePlan(
  context: Context,
  first: BootPlan,
  network: NetworkUp,
  readPlan: (additions: PlanAdditions) => BootPlan,
): BootPlan {
  const { config } = first;
  const leases = network.interfaces.flatMap(({ lease }) => lease ?? []);
  const rootPath = leases.find((lease) => lease.rootPath !== null)?.rootPath ?? null;
  if (config === null && first.root.kind !== "dhcp") return first;
  const fetched = config === null ? {} : { fetchedParameters: fetchConfig(context, { ...first, config }, network) };
  const plan = readPlan({ ...fetched, rootPath });
  if (plan.root.kind !== "dhcp") return plan;
  throw problem("no-root-path", { servers: leases.map(({ server }) => server) });
}

/** Brings the network up again if the completed plan needs more of it, as for disks on servers: interfaces without an address, or addresses that stay. */
export function connectMore(
  context: Context,
  network: NetworkUp,
  first: NetworkPlan,
  plan: NetworkPlan,
): NetworkUp | null {
  const isEnough = Bun.deepEquals({ ...first, carriesRoot: first.carriesRoot && plan.carriesRoot }, plan);
  return isEnough ? network : connect(context, plan);
}

/** Leaves files about the network in /run, if it is up. */
export function leaveNetworkFiles(context: Context, network: NetworkUp | null, { carriesRoot }: NetworkPlan): void {
  if (network === null) return;
  for (const file of leftFiles(network, carriesRoot)) leaveFile(context, file);
}

/** A boot from a disk goes on without the network that only rd.neednet=1 asks for; then the interfaces are as they were. */
function bringUpOrNot(context: Context, plan: NetworkPlan): NetworkUp | null {
  const takeBacks: (() => void)[] = [];
  try {
    const network = bringUpNetwork({ ...context, undo: (takeBack) => takeBacks.push(takeBack) }, plan);
    for (const takeBack of takeBacks) context.undo(takeBack);
    return network;
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    for (const takeBack of takeBacks.reverse()) tolerateRefusal(takeBack);
    const [, ...reasons] = error instanceof BootError ? error.message.split("\n") : [];
    context.voice.warn([`${headline(error)}, going on without it`, ...reasons].join(": "));
    return null;
  }
}

/** A file that cannot be left stops no boot. */
function leaveFile({ machine, voice }: Context, { path, content, isSecret = false }: LeftFile): void {
  const slash = path.lastIndexOf("/");
  const [directory, name] = [path.slice(0, slash), path.slice(slash + 1)];
  try {
    machine.makeDirectory(directory);
    machine.writeFile(path, content);
    if (!isSecret) return;
    const tree = machine.openTree(directory, "as mounted");
    tree.setAccess(name, { userId: 0, groupId: 0, mode: 0o600 });
    tree.close();
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`could not write ${path}: ${describeRefusal(error)}`);
  }
}

/** Returns what the step did, as a line of the console. */
export function describeNetwork(network: NetworkUp | null, { isNeeded }: NetworkPlan): string {
  if (network === null) return isNeeded ? "none, going on without it" : "";
  return network.interfaces.map(describeUp).join("; ");
}

const BY: Readonly<Record<UpInterface["method"], string>> = {
  dhcp: "by DHCP",
  auto6: "by router advertisement",
  "link-local": "link-local",
  static: "static",
  link: "up, without an address",
};

function describeUp({ name, method, addresses, gateways, lease }: UpInterface): string {
  const own = addresses.map(({ address, prefix }) => `${address}/${prefix}`).join(" and ");
  const server = lease === null ? "" : ` from ${lease.server}`;
  const gateway = gateways[0] === undefined ? "" : `, gateway ${gateways[0]}`;
  return `${name} ${own === "" ? "" : `${own} `}${BY[method]}${server}${gateway}`;
}
