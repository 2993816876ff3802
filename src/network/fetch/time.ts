import { encodeSntp, parseSntp } from "../../formats/network/sntp.ts";
import type { Clock } from "../../machine/machine.ts";
import type { Connections, Conversation } from "../../machine/network/connections.ts";
import { isErrno } from "../../problems/errors.ts";

const NTP_PORT = 123;
const MOST_SERVERS = 3;
/** One of IPv6, which a network may announce without a way out, and one of IPv4. */
const MOST_ADDRESSES = 2;
/** A packet may be lost. */
const TRIES_MS = [500, 1000];
/** No program of today boots so much later: nothing signs the answer. */
const MOST_LATER_MS = 20 * 365.25 * 86_400_000;

type Asking = Pick<Connections, "listAddresses" | "openConversation">;

/**
 * Sets a clock that is known to be too old by the first NTP server that answers (RFC 4330), and returns what was done, in words; null
 * if none has answered with a time that can be right.
 */
export async function setClockByServer(
  machine: Asking & Pick<Clock, "timeOfDayMs" | "setTimeOfDay">,
  servers: readonly string[],
): Promise<string | null> {
  const leastMs = machine.timeOfDayMs();
  for (const server of servers.slice(0, MOST_SERVERS)) {
    const ms = await askTime(machine, server, leastMs);
    if (ms === null || ms < leastMs || ms > leastMs + MOST_LATER_MS) continue;
    machine.setTimeOfDay(ms);
    return `the NTP server ${server} has set the clock to ${new Date(ms).toISOString().slice(0, 19)}Z`;
  }
  return null;
}

async function askTime(machine: Asking, server: string, leastMs: number): Promise<number | null> {
  const addresses = await orNull(() => machine.listAddresses(server));
  for (const address of (addresses ?? []).slice(0, MOST_ADDRESSES)) {
    const ms = await orNull(() => askAddress(machine, address, leastMs));
    if (ms !== null) return ms;
  }
  return null;
}

async function askAddress(machine: Asking, address: string, leastMs: number): Promise<number | null> {
  const conversation = await machine.openConversation(address);
  try {
    for (const waitMs of TRIES_MS) {
      const nonce = crypto.getRandomValues(new Uint8Array(8));
      conversation.send(encodeSntp(nonce), NTP_PORT);
      const ms = await awaitTime(conversation, nonce, waitMs, leastMs);
      if (ms !== null) return ms;
    }
    return null;
  } finally {
    conversation.close();
  }
}

/** Returns null if the network refuses. */
async function orNull<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (isErrno(error)) return null;
    throw error;
  }
}

/** Waits for the answer that repeats the nonce: a packet of anyone else must not take its place. */
async function awaitTime(
  conversation: Conversation,
  nonce: Uint8Array,
  waitMs: number,
  leastMs: number,
): Promise<number | null> {
  const endMs = performance.now() + waitMs;
  for (let leftMs = waitMs; leftMs > 0; leftMs = endMs - performance.now()) {
    const answer = await conversation.receive(leftMs);
    const ms = answer?.port === NTP_PORT ? parseSntp(answer.bytes, nonce, leastMs) : null;
    if (ms !== null) return ms;
  }
  return null;
}
