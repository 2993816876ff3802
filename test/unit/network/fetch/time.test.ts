import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodeSntp, parseSntp } from "../../../../src/formats/network/sntp.ts";
import type { Conversation } from "../../../../src/machine/network/connections.ts";
import { setClockByServer } from "../../../../src/network/fetch/time.ts";
import { SyscallError } from "../../../../src/problems/errors.ts";

const BUILT_MS = Date.UTC(2026, 10, 29);
const NOW_MS = Date.UTC(2027, 0, 1, 12);

/** What a server answers to a request. */
type Answer = (request: Uint8Array) => Uint8Array | null | readonly Uint8Array[];

/** An honest answer, with the changes of a test. */
const answer =
  (ms: number, changes: Readonly<Record<number, number>> = {}) =>
  (request: Uint8Array): Uint8Array => {
    const reply = new Uint8Array(48);
    reply.set([(4 << 3) | 4, 2]);
    reply.set(request.subarray(40), 24);
    new DataView(reply.buffer).setUint32(40, (ms / 1000 + 2_208_988_800) % 2 ** 32);
    for (const [at, value] of Object.entries(changes)) reply[Number(at)] = value;
    return reply;
  };

async function ask(servers: Readonly<Record<string, Answer>>, hosts = Object.keys(servers)) {
  let clockMs = BUILT_MS;
  const said = await setClockByServer(
    {
      timeOfDayMs: () => clockMs,
      setTimeOfDay: (ms) => {
        clockMs = ms;
      },
      // A host with two addresses is "FIRST+SECOND".
      listAddresses: (host) =>
        host === "unknown"
          ? Promise.reject(new SyscallError("connect", "ENOTFOUND", host))
          : Promise.resolve(host.split("+")),
      openConversation: (host) => {
        const own = servers[host];
        if (own === undefined) return Promise.reject(new SyscallError("connect", "ENOTFOUND", host));
        const replies: Uint8Array[] = [];
        const conversation: Conversation = {
          send: (bytes) => {
            replies.push(...[own(bytes)].flat().filter((one) => one !== null));
          },
          async receive(timeoutMs) {
            const bytes = replies.shift();
            if (bytes !== undefined) return { bytes, port: 123 };
            await Bun.sleep(timeoutMs);
            return null;
          },
          close: () => undefined,
        };
        return Promise.resolve(conversation);
      },
    },
    ["unknown", ...hosts],
  );
  return { said, clockMs };
}

test("the first server that answers sets the clock", async () => {
  const { said, clockMs } = await ask({ silent: () => null, good: answer(NOW_MS) });
  expect(clockMs).toBe(NOW_MS);
  expect(said).toBe("the NTP server good has set the clock to 2027-01-01T12:00:00Z");
});

test("a server whose first address does not answer is asked at its second", async () => {
  const { said, clockMs } = await ask({ "2001:db8::1": () => null, "192.0.2.1": answer(NOW_MS) }, [
    "2001:db8::1+192.0.2.1",
  ]);
  expect(clockMs).toBe(NOW_MS);
  expect(said).toContain("2001:db8::1+192.0.2.1 has set the clock");
});

test("what cannot be right sets no clock", async () => {
  const lies: readonly Answer[] = [
    answer(BUILT_MS - 86_400_000),
    answer(BUILT_MS + 30 * 365 * 86_400_000),
    answer(NOW_MS, { 0: (3 << 6) | (4 << 3) | 4 }),
    answer(NOW_MS, { 0: (4 << 3) | 3 }),
    answer(NOW_MS, { 1: 0 }),
    answer(NOW_MS, { 30: 1, 31: 1, 29: 1 }),
    () => new Uint8Array(47),
  ];
  for (const lie of lies) expect(await ask({ lie })).toEqual({ said: null, clockMs: BUILT_MS });
});

test("a forged answer does not take the place of the right one", async () => {
  let requests = 0;
  const both: Answer = (request) => {
    requests += 1;
    return [answer(NOW_MS + 1000, { 24: 1, 25: 1, 26: 1 })(request), answer(NOW_MS)(request)];
  };
  expect((await ask({ both })).clockMs).toBe(NOW_MS);
  expect(requests).toBe(1);
});

test("the second era begins in 2036", () => {
  const nonce = new Uint8Array(8).fill(7);
  const ms = Date.UTC(2040, 5, 1);
  expect(parseSntp(answer(ms)(encodeSntp(nonce)), nonce, BUILT_MS)).toBe(ms);
});

test("no packet makes the parser fail", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (packet) => {
      expect(parseSntp(packet, new Uint8Array(8), 0) ?? 0).toBeNumber();
    }),
  );
});
