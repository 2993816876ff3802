import { SyscallError } from "../../../problems/errors.ts";
import type { Connections, Conversation } from "../../network/connections.ts";

/** getaddrinfo(3) tries each name server of resolv.conf(5) twice, for 5 s each time. */
const LOOKUP_MS = 5000;

/** Connections by the runtime. They are made in a child process only. */
export const connections: Connections = {
  async tryConnection(host, port, timeoutMs) {
    const endMs = performance.now() + timeoutMs;
    const addresses = await within(lookUp(host), timeoutMs, "EAI_AGAIN", host);
    let failure = new SyscallError("connect", "ENOTFOUND", host);
    for (const [index, { address }] of addresses.entries()) {
      // Those that are left share the time that is left.
      const shareMs = (endMs - performance.now()) / (addresses.length - index);
      try {
        return await within(connect(address, port), shareMs, "ETIMEDOUT", host);
      } catch (error) {
        failure = refusal(error, host);
      }
    }
    throw failure;
  },
  async listAddresses(host) {
    const found = await within(lookUp(host), LOOKUP_MS, "EAI_AGAIN", host);
    if (found.length === 0) throw new SyscallError("connect", "ENOTFOUND", host);
    return found.map(({ address }) => address);
  },
  async openConversation(host) {
    try {
      const [address = ""] = await connections.listAddresses(host);
      return await converse(address, address.includes(":") ? "::" : "0.0.0.0");
    } catch (error) {
      throw refusal(error, host);
    }
  },
};

type Found = Awaited<ReturnType<typeof Bun.dns.lookup>>;

/** Returns the addresses of a host. Throws SyscallError with a code of getaddrinfo(3). */
async function lookUp(host: string): Promise<Found> {
  try {
    return await Bun.dns.lookup(host);
  } catch (error) {
    // The runtime has the codes of c-ares: DNS_ENODATA is a name without an address.
    const isUnknown = ["DNS_ENOTFOUND", "DNS_ENODATA"].includes(codeOf(error));
    throw new SyscallError("connect", isUnknown ? "ENOTFOUND" : "EAI_AGAIN", host);
  }
}

/** Returns the address that has accepted the connection, which is closed again. */
async function connect(hostname: string, port: number): Promise<string> {
  const socket = await Bun.connect({ hostname, port, socket: { data: () => undefined } });
  const { remoteAddress } = socket;
  socket.terminate();
  return remoteAddress;
}

/** Waits for at most `timeoutMs`. Throws SyscallError with `code` then. */
async function within<T>(work: Promise<T>, timeoutMs: number, code: string, host: string): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new SyscallError("connect", code, host)), timeoutMs);
  try {
    return await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function refusal(error: unknown, host: string): SyscallError {
  return error instanceof SyscallError ? error : new SyscallError("connect", codeOf(error), host);
}

type Arrived = { readonly bytes: Uint8Array; readonly port: number } | SyscallError;

/** More than a window of TFTP; what a server sends beyond that is lost, as in the kernel's own queue. */
const MOST_QUEUED = 256;

async function converse(address: string, own: string): Promise<Conversation> {
  const queue: Arrived[] = [];
  let wake: () => void = () => undefined;
  const put = (arrived: Arrived) => {
    if (queue.length < MOST_QUEUED) queue.push(arrived);
    wake();
  };
  const socket = await Bun.udpSocket({
    hostname: own,
    socket: {
      data(_, data, port, from) {
        if (from === address) put({ bytes: new Uint8Array(data), port });
      },
      // For an ICMP error, the runtime (1.4.5) leaves out the socket, which its types have first.
      error: (...given: readonly unknown[]) => put(new SyscallError("recvmsg", codeOf(given.at(-1)), address)),
    },
  });
  return {
    send: (bytes, port) => void socket.send(bytes, port, address),
    async receive(timeoutMs) {
      if (queue.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const next = queue.shift() ?? null;
      if (next instanceof SyscallError) throw next;
      return next;
    },
    close: () => socket.close(),
  };
}

function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : "EIO";
}
