import type { Http, HttpReply } from "../../machine/network/http.ts";
import { formatHttpUrl, parseHttpUrl, resolveLocation } from "../../parameters/sources/http-url.ts";
import { isErrno } from "../../problems/errors.ts";
import { TransferError } from "./fault.ts";
import { type Pace, watchPace } from "./pace.ts";
import type { Received } from "./received.ts";
import { rangeHeaders, readLocation, readReply } from "./reply.ts";

/** How a file is asked for. */
export interface TransferTerms {
  readonly proxy: string | null;
  /** PEM. */
  readonly authorities: readonly string[];
  /** Called when bytes have come. */
  readonly onPart: () => void;
  readonly pace: Pace;
  /** A server that has not begun to answer after so long has failed; so has one that sends no more for `silenceMs`. */
  readonly answerMs: number;
  readonly silenceMs: number;
}

/** As curl and browsers do it, at most this many. */
const MOST_REDIRECTS = 10;

/** Reads the file, or what is missing of it, from one URL. Throws TransferError. */
export async function transfer(http: Http, url: string, received: Received, terms: TransferTerms): Promise<void> {
  const watch = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expectWithin = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => watch.abort(), ms);
  };
  let pace: ReturnType<typeof watchPace> | null = null;
  try {
    const partial = received.partial(url);
    const ask = (address: string) => {
      expectWithin(terms.answerMs);
      const { proxy, authorities } = terms;
      return http.request({ url: address, headers: rangeHeaders(partial), proxy, authorities, signal: watch.signal });
    };
    const reply = await follow(url, ask);
    received.begin(url, readReply(reply, partial));
    expectWithin(terms.silenceMs);
    pace = watchPace(received, terms.pace, () => watch.abort());
    // What follows a complete file is not read: the text of an answer 416.
    while (received.bytes !== received.totalBytes) {
      const part = await reply.read();
      if (part === null) break;
      expectWithin(terms.silenceMs);
      received.append(part);
      terms.onPart();
    }
    received.finish();
  } catch (error) {
    throw pace?.isSlow() ? new TransferError({ kind: "slow", ...terms.pace }) : explain(error, received);
  } finally {
    pace?.stop();
    clearTimeout(timer);
    watch.abort(); // closes the connection if something is left to read
  }
}

async function follow(url: string, ask: (address: string) => Promise<HttpReply>): Promise<HttpReply> {
  let address = parseHttpUrl(url);
  for (let count = 0; count <= MOST_REDIRECTS; count++) {
    if (address === null) throw new TransferError({ kind: "redirect", why: "malformed" });
    const reply = await ask(formatHttpUrl(address));
    const location = readLocation(reply);
    if (location === null) return reply;
    const next = resolveLocation(address, location);
    if (address.scheme === "https" && next?.scheme === "http") {
      throw new TransferError({ kind: "redirect", why: "insecure" });
    }
    address = next;
  }
  throw new TransferError({ kind: "redirect", why: "loop" });
}

function explain(error: unknown, received: Received): unknown {
  // What is there may be the reason: the next request asks for all of it.
  if (error instanceof TransferError && error.fault.kind === "range") received.drop();
  if (!isErrno(error)) return error;
  if (error.code === "ECONNRESET" && received.bytes > 0) {
    return new TransferError({ kind: "cut", doneBytes: received.bytes, totalBytes: received.totalBytes });
  }
  return new TransferError({ kind: "connection", code: error.code });
}
