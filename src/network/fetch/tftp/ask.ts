import { parseTftp, type TftpPacket } from "../../../formats/network/tftp.ts";
import type { Conversation } from "../../../machine/network/connections.ts";
import { TransferError } from "../fault.ts";

/** A packet may be lost: how long to wait before it is asked for again. */
export const PATIENCE_MS = [1000, 2000, 4000, 8000];

/** What may be said of a transfer while it runs, and how long it may go on. */
export interface Terms {
  readonly onPart: () => void;
  /** How long to go on without a byte more than before; an answer always has a second. */
  readonly leftMs: () => number;
}

/** A packet, and the port of the server that it came from. */
export interface Answer {
  readonly packet: TftpPacket;
  readonly port: number;
}

/** Sends a packet until something comes back that `isWanted`; after the first answer, only `port` of the server counts (RFC 1350, 4). */
export async function ask(
  conversation: Conversation,
  message: Uint8Array,
  to: number,
  {
    port = to,
    isWanted = () => true,
    patience = PATIENCE_MS,
    leftMs,
  }: Pick<Terms, "leftMs"> & {
    readonly port?: number | null;
    readonly isWanted?: (packet: TftpPacket) => boolean;
    readonly patience?: readonly number[];
  },
): Promise<Answer> {
  const isFrom = (from: number) => port === null || from === port;
  for (const [index, mostMs] of patience.entries()) {
    const patienceMs = index === 0 ? mostMs : Math.min(mostMs, leftMs());
    if (patienceMs <= 0) break;
    conversation.send(message, to);
    const answer = await awaitAnswer(conversation, patienceMs, (one) => isFrom(one.port) && isWanted(one.packet));
    if (answer !== null) return answer;
  }
  throw new TransferError({ kind: "connection", code: "ETIMEDOUT" });
}

/** Returns the first packet that is wanted; null if none has come in this time. */
async function awaitAnswer(
  conversation: Conversation,
  patienceMs: number,
  isWanted: (answer: Answer) => boolean,
): Promise<Answer | null> {
  const endMs = performance.now() + patienceMs;
  for (let restMs = patienceMs; restMs > 0; restMs = endMs - performance.now()) {
    const received = await conversation.receive(restMs);
    const packet = received === null ? null : parseTftp(received.bytes);
    const answer = received === null || packet === null ? null : { packet, port: received.port };
    if (answer !== null && isWanted(answer)) return answer;
  }
  return null;
}
