import type { Child } from "../../src/machine/child.ts";
import { decodeNvmeOrder, encodeNvme, type NvmeOrder } from "../../src/network/remote/nvme-order.ts";
import type { NvmeOutcome } from "../../src/problems/diagnoses/network/nvme.ts";
import type { FakeImage } from "./fake-images.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { fakeOrderedChild } from "./fake-ordered-child.ts";

export interface FakeNvmeServer {
  /** It listens from then on, in ms of the kernel's clock; from the start where not given. */
  readonly fromMs?: number;
  /** It accepts the connection, and then says nothing. */
  readonly isSilent?: boolean;
  /** Why the kernel cannot ask it for its subsystems. */
  readonly code?: string;
  readonly subsystems?: Readonly<Record<string, FakeImage>>;
  /** The hosts that see them; all where not given. */
  readonly hosts?: readonly string[];
  /** Why it refuses the subsystems that it has listed. */
  readonly refuses?: string;
  /** How many it says that it lists, of which levain reads 64; by default those that it has. */
  readonly lists?: number;
}

/** By "host:port". */
export type FakeNvmeServers = Readonly<Record<string, FakeNvmeServer>>;

const ROUND_MS = 5;

/** The process that connects to NVMe over TCP: what it has connected appears. */
export function createFakeNvmeChild(kernel: FakeKernel, servers: FakeNvmeServers): Child {
  return fakeOrderedChild(kernel, (bytes) => {
    const order = decodeNvmeOrder(bytes);
    const isSilent = servers[`${order.host}:${order.port}`]?.isSilent === true;
    const answer = () => encodeNvme(answerTo(kernel, servers, order));
    return { takesMs: isSilent ? Number.POSITIVE_INFINITY : ROUND_MS, answer };
  });
}

function answerTo(kernel: FakeKernel, servers: FakeNvmeServers, order: NvmeOrder): NvmeOutcome {
  const server = servers[`${order.host}:${order.port}`];
  if (server === undefined) return { step: "reach", code: "EHOSTUNREACH" };
  if (kernel.nowMs < (server.fromMs ?? 0)) return { step: "reach", code: "ECONNREFUSED" };
  // nvmf_host_add(): the default of the kernel for one of them goes with its default for the other.
  if ((order.hostNqn === null) !== (order.hostId === null)) return { step: "discover", code: "EINVAL" };
  if (server.code !== undefined) return { step: "discover", code: server.code };
  const isPermitted = server.hosts?.includes(order.hostNqn ?? "") ?? true;
  const subsystems = Object.entries(isPermitted ? (server.subsystems ?? {}) : {});
  const { refuses, lists: listed = subsystems.length } = server;
  const counts = { listed, read: Math.min(listed, 64) };
  if (refuses !== undefined) {
    return { connected: [], refused: subsystems.map(([nqn]) => ({ nqn, code: refuses })), ...counts };
  }
  for (const [index, [, image]] of subsystems.entries()) kernel.arrive({ name: `nvme${index}n1`, image }, 0);
  return { connected: subsystems.map(([nqn]) => nqn), refused: [], ...counts };
}
