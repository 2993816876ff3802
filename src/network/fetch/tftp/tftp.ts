import {
  encodeTftpAck,
  encodeTftpError,
  encodeTftpRead,
  parseTftp,
  type TftpPacket,
} from "../../../formats/network/tftp.ts";
import type { Connections, Conversation } from "../../../machine/network/connections.ts";
import { parseTftpUrl, type TftpUrl } from "../../../parameters/sources/tftp-url.ts";
import { isErrno } from "../../../problems/errors.ts";
import { TransferError } from "../fault.ts";
import { SLOWEST, watchPace } from "../pace.ts";
import type { Received } from "../received.ts";
import { type Answer, ask, PATIENCE_MS, type Terms } from "./ask.ts";

/** RFC 2348: what fits into an Ethernet frame, VLAN and tunnel included. RFC 7440: blocks without an acknowledgement. */
const WISHES = { blksize: 1408, windowsize: 16, tsize: 0 };
/** RFC 1350: what counts without options. */
const PLAIN = { blockBytes: 512, window: 1, totalBytes: null };

/** What a server has agreed to. */
interface Agreed {
  readonly blockBytes: number;
  readonly window: number;
  readonly totalBytes: number | null;
}

/** Reads a file from a TFTP server, always all of it. Throws TransferError. */
export async function transferTftp(machine: Connections, url: string, received: Received, terms: Terms): Promise<void> {
  const place = parseTftpUrl(url);
  if (place === null) throw new TransferError({ kind: "connection", code: "EINVAL" });
  try {
    const addresses = await machine.listAddresses(place.host);
    const { conversation, packet, port } = await findServer(machine, place, addresses, terms);
    try {
      await receiveFile({ conversation, port, url, received, ...terms }, packet);
    } finally {
      conversation.close();
    }
    received.finish();
  } catch (error) {
    throw isErrno(error) ? new TransferError({ kind: "connection", code: error.code }) : error;
  }
}

/** Asks the addresses of a server one after the other; returns the first answer. Each but the last has less time. */
async function findServer(
  machine: Connections,
  { path, port }: Pick<TftpUrl, "path" | "port">,
  addresses: readonly string[],
  terms: Terms,
): Promise<Answer & { readonly conversation: Conversation }> {
  const [address = "", ...others] = addresses;
  const patience = others.length === 0 ? PATIENCE_MS : PATIENCE_MS.slice(0, 2);
  let conversation: Conversation | null = null;
  try {
    conversation = await machine.openConversation(address);
    const answer = await ask(conversation, encodeTftpRead(path, WISHES), port, { port: null, patience, ...terms });
    return { ...answer, conversation };
  } catch (error) {
    conversation?.close();
    if (others.length === 0 || terms.leftMs() <= 0) throw error;
    return findServer(machine, { path, port }, others, terms);
  }
}

interface Transfer extends Terms {
  readonly conversation: Conversation;
  readonly port: number;
  readonly url: string;
  readonly received: Received;
}

async function receiveFile(
  { conversation, port, url, received, onPart, leftMs }: Transfer,
  first: TftpPacket,
): Promise<void> {
  const { blockBytes, window } = begin(first, url, received);
  let last = 0;
  /** Blocks since the last acknowledgement. */
  let pending = 0;
  const isNext = (packet: TftpPacket) => packet.kind === "data" && packet.block === ((last + 1) & 0xffff);
  // What comes out of order is sent again, so each such block must not ask for it again.
  const isWanted = (packet: TftpPacket) => packet.kind === "error" || isNext(packet);
  let packet: TftpPacket | null = first.kind === "options" ? null : first;
  const pace = watchPace(received, SLOWEST, () => undefined);
  try {
    for (;;) {
      if (pace.isSlow()) throw new TransferError({ kind: "slow", ...SLOWEST });
      if (packet === null) {
        packet = (await ask(conversation, encodeTftpAck(last), port, { isWanted, leftMs })).packet;
        pending = 0;
      }
      const data = readData(packet, blockBytes);
      last = (last + 1) & 0xffff;
      pending += 1;
      received.append(data);
      onPart();
      if (data.length < blockBytes) return conversation.send(encodeTftpAck(last), port);
      packet = pending < window ? await takeNext(conversation, port, isNext) : null;
    }
  } catch (error) {
    if (packet?.kind !== "error") conversation.send(encodeTftpError(0, "the transfer is given up"), port);
    throw error;
  } finally {
    pace.stop();
  }
}

/** Begins the file, by the terms of the first answer. */
function begin(first: TftpPacket, url: string, received: Received): Agreed {
  const terms = first.kind === "options" ? readOptions(first.options) : PLAIN;
  // An error must not drop what another server has sent.
  if (first.kind !== "error") received.begin(url, { offset: 0, totalBytes: terms.totalBytes, validator: null });
  return terms;
}

/** Waits briefly for the next block of a window; null if something else came, or nothing. */
async function takeNext(
  conversation: Conversation,
  port: number,
  isNext: (packet: TftpPacket) => boolean,
): Promise<TftpPacket | null> {
  const answer = await conversation.receive(PATIENCE_MS[0] ?? 0);
  const packet = answer?.port === port ? parseTftp(answer.bytes) : null;
  return packet !== null && isNext(packet) ? packet : null;
}

/** Throws TransferError for what is no block. */
function readData(packet: TftpPacket, blockBytes: number): Uint8Array {
  if (packet.kind === "error")
    throw new TransferError({ kind: "tftp", code: packet.code, text: packet.text.slice(0, 80) });
  if (packet.kind === "data" && packet.data.length <= blockBytes) return packet.data;
  throw new TransferError({ kind: "connection", code: "EBADMSG" });
}

/** A server may lower what was asked for, but not raise it. */
function readOptions(options: ReadonlyMap<string, string>): Agreed {
  const read = (name: string, least: number, most: number, fallback: number) => {
    const value = Number(options.get(name) ?? fallback);
    if (!(value >= least && value <= most)) throw new TransferError({ kind: "connection", code: "EBADMSG" });
    return value;
  };
  return {
    blockBytes: read("blksize", 8, WISHES.blksize, PLAIN.blockBytes),
    window: read("windowsize", 1, WISHES.windowsize, PLAIN.window),
    totalBytes: options.has("tsize") ? read("tsize", 0, Number.MAX_SAFE_INTEGER, 0) : null,
  };
}
