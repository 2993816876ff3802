import { formatAddress } from "../../../formats/network/addresses.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { TcpSocket } from "../../../machine/network/remote.ts";
import { createServerSearch } from "../../../network/remote/find-server.ts";
import { type Negotiated, negotiate } from "../../../network/remote/nbd.ts";
import type { NbdDisk } from "../../../plan/remote/plan.ts";
import type { NbdRefusal } from "../../../problems/diagnoses/network/remote.ts";
import { isErrno, SyscallError } from "../../../problems/errors.ts";
import { describeRefusal } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";

/** How long the negotiation may take: within 5 s, a line says what is waited for. */
const TRY_MS = 2500;
/** How long a name server and the server have together to answer, in the process that asks them. */
const SEARCH_MS = 5000;

/** How a try has ended. */
export type Outcome =
  | { readonly kind: "connected" }
  | { readonly kind: "refused"; readonly refusal: NbdRefusal; readonly words: string }
  | { readonly kind: "failed"; readonly why: string };

/** Tries to connect to one export. They never wait: a server that is silent must not hold up the boot. */
export interface NbdTries {
  /** Goes on with a try, or begins one; returns its outcome, or what is not there yet, in words. */
  advance(): Outcome | string;
  close(): void;
}

/** A negotiation that is going on. */
interface Talk {
  readonly socket: TcpSocket;
  readonly negotiation: ReturnType<typeof negotiate>;
  readonly untilMs: number;
}

/** Creates the tries for an export. */
export function createNbdTries({ machine, drivers }: StorageContext, disk: NbdDisk): NbdTries {
  const { host, port, name } = disk.export;
  const search = createServerSearch(machine, disk.export, SEARCH_MS);
  let talk: Talk | null = null;

  function hangUp(): void {
    talk?.socket.close();
    talk = null;
  }

  function goOn(): Outcome | string {
    if (talk === null) {
      drivers.loadByName("nbd");
      if (isConnected(machine, disk.device)) return { kind: "connected" };
      const address = search.address();
      if (address === null) return `no answer yet about the address of ${host}`;
      const socket = machine.connectTcp(address, port, `${formatAddress(address)} port ${port}`);
      talk = { socket, negotiation: negotiate(socket, name), untilMs: machine.nowMs() + TRY_MS };
    }
    const { done, value } = talk.negotiation.next();
    if (done) return conclude(machine, disk, talk.socket, value);
    if (machine.nowMs() < talk.untilMs) return "no answer from the server yet";
    throw new SyscallError("connect", "ETIMEDOUT", host);
  }

  return {
    advance() {
      let result: Outcome | string;
      try {
        result = goOn();
      } catch (error) {
        if (!isErrno(error)) throw error;
        result = { kind: "failed", why: describeRefusal(error) };
      }
      if (typeof result !== "string") hangUp();
      return result;
    },
    close() {
      hangUp();
      search.stop();
    },
  };
}

/** True if the driver has a connection for this device: of an earlier try of this boot. */
function isConnected(machine: Machine, device: string): boolean {
  return machine.stat(`/sys/class/block/${device}/pid`) !== null;
}

/** Gives what the server has agreed to to the driver. Throws SyscallError. */
function conclude(machine: Machine, { device }: NbdDisk, socket: TcpSocket, result: Negotiated): Outcome {
  if (result.kind === "refused") return result;
  const { sizeBytes, blockBytes, flags } = result;
  machine.attachNbd(socket, { device, sizeBytes, blockBytes, flags });
  return { kind: "connected" };
}
