import { createRemoteDisks } from "../../../src/machine/linux/network/remote.ts";
import type { TcpSocket } from "../../../src/machine/network/remote.ts";
import { type Negotiated, negotiate } from "../../../src/network/remote/nbd.ts";
import { isErrno } from "../../../src/problems/errors.ts";

/** Only a server that never answers takes as long: a host may be busy. */
const MOST_MS = 60_000;
const PAUSE_MS = 20;

/** Asks a server on the loopback for an export, as soon as it listens. */
export async function askNbd(port: number, name: string): Promise<Negotiated> {
  for (let leftMs = MOST_MS; ; leftMs -= PAUSE_MS) {
    try {
      const socket = createRemoteDisks().connectTcp(Uint8Array.of(127, 0, 0, 1), port, "nbd-server");
      const result = await finishNegotiation(socket, name);
      socket.close();
      return result;
    } catch (error) {
      if (!isErrno(error, "ECONNREFUSED") || leftMs <= 0) throw error;
      await Bun.sleep(PAUSE_MS);
    }
  }
}

/** Goes on with a negotiation until it is over. Throws SyscallError. */
async function finishNegotiation(socket: TcpSocket, name: string): Promise<Negotiated> {
  const negotiation = negotiate(socket, name);
  for (let leftMs = MOST_MS; leftMs > 0; leftMs -= PAUSE_MS) {
    const { done, value } = negotiation.next();
    if (done) return value;
    await Bun.sleep(PAUSE_MS);
  }
  throw new Error("the negotiation does not end");
}
