import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { advanceDhcp, type DhcpState, startDhcp } from "../../../src/network/dhcp/client.ts";
import { type FakeDhcpServer, fakeDhcpServer, readRequest } from "../../support/fake-dhcp-server.ts";
import { createRandom } from "../../support/random.ts";

const IDENTITY = { mac: Uint8Array.fromHex("525400123456"), hostname: null };

interface Run {
  readonly state: DhcpState;
  readonly endMs: number;
  /** Types of the messages, with their times. */
  readonly sent: readonly (readonly [ms: number, type: number])[];
}

/** Runs a client against servers, with a network that loses some packets, until it has a lease or the time is over. */
function run(servers: readonly FakeDhcpServer[], { seed = 1, loss = 0, untilMs = 120_000 } = {}): Run {
  const random = createRandom(seed);
  const isLost = () => random() < loss;
  const sent: [number, number][] = [];
  let queue: { atMs: number; packet: Uint8Array }[] = [];
  let nowMs = 0;
  let state = startDhcp(IDENTITY, nowMs, random);
  while (nowMs < untilMs) {
    const come = queue.filter(({ atMs }) => atMs <= nowMs).map(({ packet }) => packet);
    queue = queue.filter(({ atMs }) => atMs > nowMs);
    const step = advanceDhcp(state, come, nowMs, random);
    state = step.state;
    const sentMs = nowMs;
    for (const packet of step.send) {
      sent.push([nowMs, readRequest(packet)?.type ?? 0]);
      const answers = isLost() ? [] : servers.flatMap((server) => server(packet, nowMs));
      const kept = answers.filter(() => !isLost());
      queue.push(...kept.map(({ afterMs, packet: answer }) => ({ atMs: sentMs + afterMs, packet: answer })));
    }
    if (state.phase === "bound") break;
    nowMs = Math.min(state.dueMs, ...queue.map(({ atMs }) => atMs));
  }
  return { state, endMs: nowMs, sent };
}

test("discover, offer, request, acknowledgement", () => {
  const { state, endMs, sent } = run([fakeDhcpServer()]);
  expect(state.lease?.address).toBe("192.0.2.50");
  expect(sent.map(([, type]) => type)).toEqual([1, 3]);
  expect(endMs).toBe(10);
});

test("a server that does not answer is asked after 1, 2, 4, 8 and then every 16 s, more or less", () => {
  const { sent } = run([fakeDhcpServer({ address: null })]);
  const gaps = sent.slice(1).map(([ms], at) => ms - (sent[at]?.[0] ?? 0));
  for (const [at, gap] of gaps.entries()) {
    const meant = Math.min(16_000, 1000 * 2 ** at);
    expect(gap).toBeGreaterThanOrEqual(meant * 0.75);
    expect(gap).toBeLessThanOrEqual(meant * 1.25);
  }
  expect(new Set(gaps).size).toBe(gaps.length);
  expect(run([fakeDhcpServer({ address: null })], { seed: 2 }).sent).not.toEqual(sent);
});

test("with a fifth of the packets lost, there is a lease all the same", () => {
  const times = Array.from({ length: 300 }, (_, seed) => run([fakeDhcpServer()], { seed, loss: 0.2 }));
  expect(times.every(({ state }) => state.phase === "bound")).toBe(true);
  const sorted = times.map(({ endMs }) => endMs).sort((one, other) => one - other);
  expect(sorted[150]).toBeLessThan(2000);
  expect(sorted[285]).toBeLessThan(10_000);
});

test("a lease that ends at once is none: another server is asked", () => {
  const rogue = fakeDhcpServer({ server: "192.0.2.66", options: { 51: [0, 0, 0, 0] }, delayMs: 1 });
  expect(run([rogue, fakeDhcpServer()]).state.lease?.server).toBe("192.0.2.1");
  expect(run([rogue]).state.phase).toBe("discover");
});

describe("refusals", () => {
  test("after a NAK it begins again, at once and then with a pause", () => {
    const { state, sent } = run([fakeDhcpServer({ refuses: 2 })]);
    expect(state.phase).toBe("bound");
    expect(sent.map(([, type]) => type)).toEqual([1, 3, 1, 1, 3, 1, 1, 3]);
    expect(state.refusals).toEqual(["192.0.2.1"]);
  });

  test("a server that always refuses gets no flood", () => {
    const { state, sent } = run([fakeDhcpServer({ refuses: 1e9 })], { untilMs: 60_000 });
    expect(state.phase).not.toBe("bound");
    expect(sent.length).toBeLessThan(90);
  });

  test("another server is preferred to one that has refused", () => {
    const bad = fakeDhcpServer({ server: "192.0.2.2", address: "192.0.2.66", refuses: 1e9, delayMs: 1 });
    const { state, endMs } = run([bad, fakeDhcpServer({ delayMs: 30 })]);
    expect(state.lease?.server).toBe("192.0.2.1");
    expect(endMs).toBeLessThan(200);
  });

  test("a NAK of another server does not count", () => {
    const nak = fakeDhcpServer({ server: "192.0.2.1", refuses: 1e9, delayMs: 1 });
    const meddler: FakeDhcpServer = (packet, ms) =>
      nak(packet, ms).map(({ packet: answer, afterMs }) => {
        const other = answer.slice();
        const at = other.findIndex(
          (_, index) => other[index] === 54 && other[index + 1] === 4 && other[index + 2] === 192,
        );
        other[at + 5] = 99;
        return { afterMs, packet: other };
      });
    const { state } = run([
      (packet, ms) => (readRequest(packet)?.type === 3 ? meddler(packet, ms) : []),
      fakeDhcpServer(),
    ]);
    expect(state).toMatchObject({ phase: "bound", refusals: [] });
  });
});

test("a server that offers and is gone is left after four requests", () => {
  const offers = fakeDhcpServer({ server: "192.0.2.2", address: "192.0.2.66", delayMs: 1 });
  const half: FakeDhcpServer = (packet, ms) => (readRequest(packet)?.type === 1 && ms < 1000 ? offers(packet, ms) : []);
  const { state, sent } = run([half, fakeDhcpServer({ delayMs: 50 })]);
  expect(sent.filter(([ms, type]) => type === 3 && ms < 11_000).length).toBe(4);
  expect(state.lease?.server).toBe("192.0.2.1");
});

test("the client says who it is, and what it wants", () => {
  const { state: first, send } = advanceDhcp(
    startDhcp({ ...IDENTITY, hostname: "host" }, 0, createRandom(1)),
    [],
    0,
    createRandom(1),
  );
  const request = readRequest(send[0] ?? new Uint8Array());
  expect(first.sent).toBe(1);
  expect(request?.options.get(61)).toEqual([1, 0x52, 0x54, 0, 0x12, 0x34, 0x56]);
  expect(request?.options.get(12)).toEqual([...Buffer.from("host")]);
  expect(request?.options.get(55)).toEqual(expect.arrayContaining([1, 3, 6, 17, 26, 42, 67, 121]));
});

test("any packet leaves it as it was, or goes on", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (packet) => {
      const state = startDhcp(IDENTITY, 0, createRandom(1));
      expect(advanceDhcp(state, [packet], 0, createRandom(1)).state.phase).toBe("discover");
    }),
  );
});
