import { createRemoteDisks } from "../../../src/machine/linux/network/remote.ts";
import type { TcpSocket } from "../../../src/machine/network/remote.ts";
import { type Negotiated, negotiate } from "../../../src/network/remote/nbd.ts";
import { isErrno } from "../../../src/problems/errors.ts";

const MOST_MS = 5000;
const PAUSE_MS = 50;

/** Goes on with a negotiation until it is over. Throws SyscallError. */
export function finishNegotiation(socket: TcpSocket, name: string): Negotiated {
  const negotiation = negotiate(socket, name);
  for (const endMs = performance.now() + MOST_MS; performance.now() < endMs; ) {
    const { done, value } = negotiation.next();
    if (done) return value;
  }
  throw new Error("the negotiation does not end");
}

/** Asks a server on the loopback for an export, as soon as it listens. */
export async function askNbd(port: number, name: string): Promise<Negotiated> {
  for (let leftMs = MOST_MS; ; leftMs -= PAUSE_MS) {
    try {
      const socket = createRemoteDisks().connectTcp(Uint8Array.of(127, 0, 0, 1), port, "nbd-server");
      const result = finishNegotiation(socket, name);
      socket.close();
      return result;
    } catch (error) {
      if (!isErrno(error, "ECONNREFUSED") || leftMs <= 0) throw error;
      await Bun.sleep(PAUSE_MS);
    }
  }
}
