import type { Child } from "../../src/machine/child.ts";
import type { MountRequest } from "../../src/machine/mounts.ts";
import { decodeOrder, encodeJson, type NfsAnswer, type NfsOrder } from "../../src/network/nfs/order.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { type FakeDirectory, type FakeTree, makeFakeTree } from "./fake-files.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { FakeServer, FakeServers } from "./fake-remote-disks.ts";

export interface FakeNfsServer {
  readonly address: string;
  /** From when on it runs; from the start where not given. */
  readonly fromMs?: number;
  /** Before that, it does not refuse connections, but is silent. */
  readonly isSilent?: boolean;
  /** How long the process that mounts takes to start; no time where not given. */
  readonly processMs?: number;
  /** All where not given. */
  readonly versions?: readonly string[];
  /** It accepts connections, but answers no mount. */
  readonly isStuck?: boolean;
  readonly exports: Readonly<Record<string, FakeTree>>;
  /** Paths that it exports to others. */
  readonly denied?: readonly string[];
}

/** Servers by the name or address that a client uses. */
export type FakeNfsServers = Readonly<Record<string, FakeNfsServer>>;

/** A network round trip. */
const ROUND_MS = 2;

/** The process that connects to servers and mounts; `disks`: servers of disks, which are looked up by their names. */
export function createFakeNfsChild(
  kernel: FakeKernel,
  mount: (request: MountRequest) => void,
  servers: FakeNfsServers,
  disks: FakeServers,
): Child {
  const startedMs = kernel.nowMs + Math.max(0, ...Object.values(servers).map(({ processMs = 0 }) => processMs));
  let order: NfsOrder | null = null;
  let readyMs = 0;
  return {
    order(bytes) {
      order = decodeOrder(bytes);
      const beginMs = Math.max(kernel.nowMs, startedMs);
      readyMs = beginMs + (isNameSilent(disks, order) ? order.timeoutMs : answerDelay(servers, order, beginMs));
    },
    answer(timeoutMs) {
      const isReady = order !== null && readyMs <= kernel.nowMs + timeoutMs;
      kernel.waitUntil(isReady ? Math.max(readyMs, kernel.nowMs) : kernel.nowMs + timeoutMs);
      if (!isReady || order === null) return { kind: "busy" };
      const ofDisk = order.kind === "connect" ? lookUpDisk(disks, order, kernel.nowMs) : null;
      const bytes = encodeJson(ofDisk ?? answerTo(order, mount, servers, kernel.nowMs));
      order = null;
      return { kind: "answer", bytes };
    },
    hasDaemons: () => false,
    stop: () => undefined,
  };
}

function isNameSilent(disks: FakeServers, order: NfsOrder): order is Extract<NfsOrder, { kind: "connect" }> {
  const addresses = order.kind === "connect" ? disks[order.host] : undefined;
  return Array.isArray(addresses) && addresses.length === 0;
}

function lookUpDisk(
  disks: FakeServers,
  { host, port }: Extract<NfsOrder, { kind: "connect" }>,
  nowMs: number,
): NfsAnswer | null {
  const addresses = disks[host];
  if (addresses === undefined || !Array.isArray(addresses)) return null;
  if (addresses.length === 0) return { code: "EAI_AGAIN" };
  const address = addresses.find((one) => {
    const server = disks[`${one}:${port}`] as FakeServer | undefined;
    return server !== undefined && nowMs >= (server.fromMs ?? 0);
  });
  return address === undefined ? { code: "ECONNREFUSED" } : { address };
}

function answerDelay(servers: FakeNfsServers, order: NfsOrder, nowMs: number): number {
  if (order.kind === "start") return 0;
  if (order.kind === "mount") {
    const server = servers[/^\[?(.*?)\]?:\//.exec(order.request.source)?.[1] ?? ""];
    return server?.isStuck ? Number.POSITIVE_INFINITY : ROUND_MS;
  }
  const server = servers[order.host];
  return server?.isSilent === true && nowMs < (server.fromMs ?? 0) ? order.timeoutMs : ROUND_MS;
}

function answerTo(
  order: NfsOrder,
  mount: (request: MountRequest) => void,
  servers: FakeNfsServers,
  nowMs: number,
): NfsAnswer {
  if (order.kind === "connect") {
    const server = servers[order.host];
    if (server === undefined) return { code: /^[\d.]+$|:/.test(order.host) ? "EHOSTUNREACH" : "ENOTFOUND" };
    if (nowMs >= (server.fromMs ?? 0)) return { address: server.address };
    return { code: server.isSilent ? "ETIMEDOUT" : "ECONNREFUSED" };
  }
  try {
    if (order.kind === "mount") mount(order.request);
    return { address: null };
  } catch (error) {
    if (error instanceof SyscallError) return { code: error.code };
    throw error;
  }
}

/** The directory that a mount of NFS shows; null for other types. Throws SyscallError as mount(2) would (fs/nfs/). */
export function openFakeNfs(
  servers: FakeNfsServers,
  { type, source, options, target }: MountRequest,
): FakeDirectory | null {
  if (type !== "nfs") return null;
  const refuse = (code: string) => new SyscallError("mount", code, target);
  const [, host = "", path = ""] = /^\[?(.*?)\]?:(\/.*)$/.exec(source) ?? [];
  const server = servers[host];
  const address = /(?:^|,)addr=([^,]*)/.exec(options)?.[1];
  const version = /(?:^|,)(?:(?:nfs)?vers=|v)([\d.]+)/.exec(options)?.[1] ?? "3";
  if (server === undefined || address !== server.address) throw refuse("EINVAL");
  if (server.versions !== undefined && !server.versions.includes(version)) throw refuse("EPROTONOSUPPORT");
  if (server.denied?.includes(path)) throw refuse("EACCES");
  const tree = server.exports[path];
  if (tree === undefined) throw refuse("ENOENT");
  return makeFakeTree(tree);
}
