import { SyscallError } from "../../../problems/errors.ts";
import type { Connections, Conversation } from "../../network/connections.ts";

/** Connections by the runtime. They are made in a child process only. */
export const connections: Connections = {
  async tryConnection(host, port, timeoutMs) {
    const refusal = (code: string) => new SyscallError("connect", code, host);
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeout.reject(refusal("ETIMEDOUT")), timeoutMs);
    try {
      const attempt = Bun.connect({ hostname: host, port, socket: { data: () => undefined } }).then((socket) => {
        const { remoteAddress } = socket;
        socket.terminate();
        return remoteAddress;
      });
      return await Promise.race([attempt, timeout.promise]);
    } catch (error) {
      throw error instanceof SyscallError ? error : refusal(codeOf(error));
    } finally {
      clearTimeout(timer);
    }
  },
  async openConversation(host) {
    try {
      const [found] = await Bun.dns.lookup(host);
      if (found === undefined) throw new SyscallError("connect", "ENOTFOUND", host);
      return await converse(found.address, found.family === 6 ? "::" : "0.0.0.0");
    } catch (error) {
      throw error instanceof SyscallError ? error : new SyscallError("connect", codeOf(error), host);
    }
  },
};

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
        if (from === address) put({ bytes: Uint8Array.from(data), port });
      },
      error: (_, error) => put(new SyscallError("recvmsg", codeOf(error), address)),
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
