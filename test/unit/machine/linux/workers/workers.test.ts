import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { POLLIN } from "../../../../../src/machine/abi/terminal.ts";
import type { AsyncReader, OpenOptions } from "../../../../../src/machine/async.ts";
import { poll } from "../../../../../src/machine/linux/poll.ts";
import { mountApart } from "../../../../../src/machine/linux/workers/apart.ts";
import { type AsyncCalls, createAsyncCalls } from "../../../../../src/machine/linux/workers/async-calls.ts";
import { openOrder } from "../../../../../src/machine/linux/workers/orders.ts";
import {
  type Order,
  startWorker,
  takeFirstWorker,
  type Worker,
} from "../../../../../src/machine/linux/workers/worker.ts";
import { scratchDirectory } from "../../../../support/cache.ts";
import { run } from "../../../../support/command.ts";
import { packedChild } from "../../../../support/packed-program.ts";
import { readOne } from "../../../../support/read-one.ts";

// The guest of test/contract runs the same on disks; here are a file, and a pipe without a writer, which no process can open.

const PATIENCE_MS = 20_000;
const CONTENT = new Uint8Array(200_000).map((_, index) => index % 251);
let [program, directory] = ["", ""];
let calls: AsyncCalls;

beforeAll(async () => {
  program = await packedChild();
  directory = scratchDirectory();
  calls = createAsyncCalls(program);
  writeFileSync(join(directory, "file"), CONTENT);
  writeFileSync(join(directory, "short"), CONTENT.slice(0, 10));
  await run(["mkfifo", join(directory, "pipe")]);
});

/** The places to read first. */
const head = (length: number) => [{ offset: 0, length }];

function open(name: string, options: OpenOptions = {}): AsyncReader {
  const reader = calls.openReader(join(directory, name), options);
  if (reader === null) throw new Error("no worker was started");
  return reader;
}

describe("a reader in another process", () => {
  test("returns the bytes of every place, also of more than one order", () => {
    const reader = open("file");
    expect(reader.size(PATIENCE_MS)).toBe(CONTENT.length);
    for (const [offset, length] of [
      [0, 10],
      [5000, 199_000],
      [CONTENT.length - 3, 10],
      [CONTENT.length, 10],
      [0, 0],
    ] as const) {
      expect(readOne(reader, offset, length, PATIENCE_MS)).toEqual(CONTENT.slice(offset, offset + length));
    }
    reader.close();
  });

  test("reads many places at once, of which some are not there or cannot be read", () => {
    const reader = open("file");
    const places = Array.from({ length: 70 }, (_, index) => ({
      offset: index * 3000,
      length: index % 7 === 0 ? 70_000 : 10,
    }));
    const expected = places.map(({ offset, length }) => CONTENT.slice(offset, offset + length));
    expect(reader.read(places, PATIENCE_MS)).toEqual(expected);
    reader.close();
    const directory = open(".");
    const [first, second] =
      directory.read(
        [
          { offset: 0, length: 1 },
          { offset: 1, length: 1 },
        ],
        PATIENCE_MS,
      ) ?? [];
    expect(first).toMatchObject({ code: "EISDIR" });
    expect(second).toMatchObject({ code: "EISDIR" });
    directory.close();
  });

  test("throws what opening was refused with, each time", () => {
    const reader = open("none");
    for (const call of [() => reader.size(PATIENCE_MS), () => reader.size(0), () => readOne(reader, 0, 1, 0)])
      expect(call).toThrow("ENOENT");
    reader.close();
  });

  test("that waits for its device holds up no other", () => {
    const silent = Array.from({ length: 4 }, () => open("pipe"));
    for (const reader of silent) {
      expect(reader.size(1)).toBeNull();
      const other = open("file");
      expect(readOne(other, 0, 3, PATIENCE_MS)).toEqual(CONTENT.slice(0, 3));
      other.close();
    }
    expect(calls.sockets().length).toBe(4);
    for (const reader of silent) reader.close();
    expect(calls.sockets()).toEqual([]);
  });

  test("reads a file of a mount that another process has alone, which is unmounted after it", () => {
    const [content, place] = [join(directory, "content"), join(directory, "place")];
    for (const path of [content, place]) mkdirSync(path);
    writeFileSync(join(content, "key"), "secret");
    const apart = mountApart(startWorker(program), calls);
    const request = { source: content, target: place, type: "", flags: ["bind"], options: "" } as const;
    const seen = apart.mount(request, PATIENCE_MS);
    apart.touch(`${seen}/key`, "content", PATIENCE_MS);
    const reader = calls.openReader(`${seen}/key`, {});
    if (reader === null) throw new Error("no worker was started");
    expect(reader.size(PATIENCE_MS)).toBe(6);
    expect(readOne(reader, 2, 3, PATIENCE_MS)).toEqual(Buffer.from("cre"));
    reader.close();
    let hasEnded = false;
    apart.close(() => {
      hasEnded = true;
    });
    expect(hasEnded).toBe(true);
    expect(readdirSync(place)).toEqual([]);
    expect(calls.sockets()).toEqual([]);
  });

  test("a worker that is left with a call says when its process has ended", () => {
    const worker = startWorker(program);
    if (worker === null) throw new Error("no worker was started");
    worker.order(openOrder(join(directory, "pipe"), {}));
    expect(worker.answer(0)).toBeNull();
    let hasEnded = false;
    calls.abandon(worker, () => {
      hasEnded = true;
    });
    expect(hasEnded).toBe(false);
    poll([{ fd: worker.socket, events: POLLIN }], PATIENCE_MS, "worker");
    calls.hear();
    expect(hasEnded).toBe(true);
    expect(calls.sockets()).toEqual([]);
  });

  test("has read the first bytes when the file is open", () => {
    const size = 33 * 1024;
    const reader = open("file", { first: head(size) });
    expect(reader.size(PATIENCE_MS)).toBe(CONTENT.length);
    expect(readOne(reader, 0, size, 0)).toEqual(CONTENT.slice(0, size));
    expect(readOne(reader, 0, size, PATIENCE_MS)).toEqual(CONTENT.slice(0, size));
    expect(readOne(reader, 1, 10, PATIENCE_MS)).toEqual(CONTENT.slice(1, 11));
    reader.close();
    const other = open("file", { first: head(300_000) });
    expect(readOne(other, 3, 10, PATIENCE_MS)).toEqual(CONTENT.slice(3, 13));
    expect(readOne(other, 0, CONTENT.length, PATIENCE_MS)).toEqual(CONTENT);
    other.close();
    const short = open("short", { first: head(size) });
    expect(short.size(PATIENCE_MS)).toBe(10);
    expect(readOne(short, 0, 10, 0)).toEqual(CONTENT.slice(0, 10));
    short.close();
    const directory = open(".", { first: head(size) });
    expect(directory.read([{ offset: 0, length: 10 }], PATIENCE_MS)?.[0]).toMatchObject({ code: "EISDIR" });
    directory.close();
    expect(() => open("none", { first: head(size) }).size(PATIENCE_MS)).toThrow("ENOENT");
  });

  test("has read several places when the file is open, if the first can be read", () => {
    const first = [...head(500), { offset: 70_000, length: 10 }, { offset: CONTENT.length - 5, length: 10 }];
    const bytesOf = ({ offset, length }: (typeof first)[number]) => CONTENT.slice(offset, offset + length);
    const reader = open("file", { first });
    expect(reader.size(PATIENCE_MS)).toBe(CONTENT.length);
    expect(reader.read(first, 0)).toEqual(first.map(bytesOf));
    reader.close();
    // What else is wanted is read as ever.
    const other = open("file", { first });
    const wanted = [...head(500), { offset: 1000, length: 3 }];
    expect(other.read(wanted, PATIENCE_MS)).toEqual(wanted.map(bytesOf));
    other.close();
    const refused = open(".", { first });
    const answers = refused.read(first.slice(0, 2), PATIENCE_MS);
    expect(answers).toMatchObject([{ code: "EISDIR" }, { code: "ECANCELED" }]);
    refused.close();
    const many = Array.from({ length: 60 }, (_, index) => ({ offset: index * 100, length: 2 }));
    const crowded = open("file", { first: many });
    expect(crowded.read(many, PATIENCE_MS)).toEqual(many.map(bytesOf));
    crowded.close();
  });

  test("that is brief is closed with its first answer, and opened again for other places", () => {
    const first = [...head(500), { offset: 70_000, length: 10 }];
    const bytesOf = ({ offset, length }: (typeof first)[number]) => CONTENT.slice(offset, offset + length);
    const path = join(directory, "brief");
    writeFileSync(path, CONTENT);
    const reader = open("brief", { first, isBrief: true });
    const [socket] = calls.sockets();
    expect(reader.read(first, PATIENCE_MS)).toEqual(first.map(bytesOf));
    rmSync(path);
    writeFileSync(path, new Uint8Array(CONTENT.length).fill(255));
    const others = Array.from({ length: 60 }, (_, index) => ({ offset: index * 100, length: 2 }));
    expect(reader.read(others, PATIENCE_MS)).toEqual(others.map(() => new Uint8Array([255, 255])));
    rmSync(path);
    expect(() => reader.read(head(10), PATIENCE_MS)).toThrow("ENOENT");
    reader.close();
    // Nothing is left to close, so the process serves the next one at once.
    const next = open("file", { first, isBrief: true });
    expect(calls.sockets()).toEqual([socket ?? -1]);
    expect(next.size(PATIENCE_MS)).toBe(CONTENT.length);
    next.close();
    const refused = open(".", { first, isBrief: true });
    expect(refused.read(first, PATIENCE_MS)).toMatchObject([{ code: "EISDIR" }, { code: "ECANCELED" }]);
    refused.close();
    expect(calls.sockets()).toEqual([]);
  });

  test("of the same places as another one reads its own file", () => {
    const first = [...head(500), { offset: 70_000, length: 10 }];
    writeFileSync(join(directory, "short"), new Uint8Array(70_004).fill(7));
    for (const [name, bytes] of [
      ["file", CONTENT],
      ["short", new Uint8Array(70_004).fill(7)],
      ["file", CONTENT],
    ] as const) {
      const reader = open(name, { first, isBrief: true });
      const found = reader.read(first, PATIENCE_MS);
      expect(found).toEqual(first.map(({ offset, length }) => bytes.slice(offset, offset + length)));
      expect(reader.size(PATIENCE_MS)).toBe(bytes.length);
      // Asked once more, it reads them once more.
      expect(reader.read(first, PATIENCE_MS)).toEqual(found);
      reader.close();
    }
    const missing = open("missing", { first, isBrief: true });
    expect(() => missing.read(first, PATIENCE_MS)).toThrow("ENOENT");
    missing.close();
  });

  test("that may linger is closed by the process that serves the next one", () => {
    const sockets = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const reader = open("file", { mayLinger: true });
      for (const socket of calls.sockets()) sockets.add(socket);
      expect(readOne(reader, 5, 1, PATIENCE_MS)).toEqual(CONTENT.slice(5, 6));
      reader.close();
      expect(calls.sockets()).toEqual([]);
    }
    // On a busy host another worker may have to be started.
    expect(sockets.size).toBeLessThan(4);
  });

  test("serves one device after the other with the same process", () => {
    const sockets = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const reader = open("file");
      for (const socket of calls.sockets()) sockets.add(socket);
      readOne(reader, 0, 1, PATIENCE_MS);
      reader.close();
    }
    expect(sockets.size).toBe(1);
  });
});

describe("an order whose answer is awaited", () => {
  const start = (order: Order) => {
    const pending = calls.start(order);
    if (pending === null) throw new Error("no worker was started");
    return pending;
  };

  test("is carried out while something else goes on; the answer stays", () => {
    const before = calls.sockets().length;
    const pending = start(openOrder(join(directory, "pipe"), {}));
    expect(pending.answer(10)).toBeNull();
    expect(calls.sockets()).toHaveLength(before + 1);
    const other = start(openOrder(join(directory, "none"), {}));
    expect(other.answer(Number.POSITIVE_INFINITY)?.results[0]).toBe("ENOENT");
    writeFileSync(openSync(join(directory, "pipe"), "w"), "late");
    const answer = pending.answer(PATIENCE_MS);
    expect(answer?.results[0]).toBeNumber();
    expect(pending.answer(0)).toBe(answer);
    expect(calls.sockets()).toHaveLength(before);
  });

  test("of a worker that is gone is refused, each time", () => {
    const pending = start({ calls: [["close", 0]], data: new Uint8Array() });
    for (const timeoutMs of [PATIENCE_MS, 0]) expect(() => pending.answer(timeoutMs)).toThrow("EPIPE");
    expect(calls.sockets()).toEqual([]);
  });
});

test("outside a boot there is no worker of stage0, whatever the variable says", () => {
  process.env["LEVAIN_WORKER_FD"] = "0";
  expect(takeFirstWorker()).toBeNull();
  expect(process.env["LEVAIN_WORKER_FD"]).toBeUndefined();
});

describe("a worker", () => {
  let worker: Worker;
  beforeAll(() => {
    const started = startWorker(program);
    if (started === null) throw new Error("no worker was started");
    worker = started;
  });
  afterAll(() => worker.dismiss());

  test("makes the calls after one that failed, with what it returned", () => {
    const data = new TextEncoder().encode("/none\0");
    worker.order({
      calls: [
        ["openat", -100, { data: 0 }, 0, 0],
        ["close", { resultOf: 0 }],
      ],
      data,
      answerBytes: 3,
    });
    const answer = worker.answer(PATIENCE_MS);
    expect(answer?.results.slice(0, 2)).toEqual(["ENOENT", "EBADF"]);
    expect(new TextDecoder().decode(answer?.data)).toBe("/no");
  });

  for (const [what, packet] of [
    ["no call", new Uint8Array(304)],
    ["a count, calls and addresses that are too large", new Uint8Array(304).fill(0xff)],
    ["half an order", new Uint8Array(100)],
  ] as const) {
    test(`survives or ends at an order with ${what}`, async () => {
      // A pipe keeps no packets, and an answer cannot be written into it: the worker ends, but is not killed by a signal.
      const ended = Bun.spawn([program, "--worker"], { stdin: packet, stdout: "pipe", stderr: "pipe" });
      expect(await ended.exited).toBe(0);
      expect(await new Response(ended.stderr).text()).toBe("");
    });
  }
});
