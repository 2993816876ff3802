import { expect, test } from "bun:test";
import { http } from "../../../../src/machine/linux/network/http.ts";
import type { TransferError } from "../../../../src/network/fetch/fault.ts";
import type { Received } from "../../../../src/network/fetch/received.ts";
import { transfer } from "../../../../src/network/fetch/transfer.ts";
import { describeFault } from "../../../../src/problems/causes/transfer.ts";
import { downloadToMemory } from "../../../support/network/download-to-memory.ts";
import { head, startLyingServer } from "../../../support/network/lying-server.ts";

/** Counts what comes. */
function counter(): Received {
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    totalBytes: 1000,
    partial: () => null,
    begin: () => undefined,
    append(part) {
      bytes += part.length;
    },
    drop: () => undefined,
    finish: () => undefined,
    close: () => undefined,
  };
}

async function download(everyMs: number): Promise<TransferError | null> {
  const timers: Timer[] = [];
  await using server = await startLyingServer({
    "/f"(socket) {
      socket.write(head(200, { "Content-Length": 1000 }));
      timers.push(setInterval(() => socket.write(new Uint8Array(20)), everyMs));
    },
  });
  const terms = {
    proxy: null,
    authorities: [],
    onPart: () => undefined,
    pace: { bytes: 100, ms: 200 },
    ...{ answerMs: 20_000, silenceMs: 20_000 },
  };
  return await transfer(http, `${server.url}/f`, counter(), terms)
    .then(() => null)
    .catch((error) => error)
    .finally(() => timers.forEach(clearInterval));
}

test("a server that sends a little now and then is given up, and one that is only slow is not", async () => {
  const fault = (await download(90))?.fault ?? null;
  expect(fault).toEqual({ kind: "slow", bytes: 100, ms: 200 });
  expect(fault && describeFault(fault)).toBe("the server sends less than 100 bytes in 0.2 s");
  expect(await download(10)).toBeNull();
});

test("a server with a long queue is given more time with each try, and asked again meanwhile", async () => {
  await using server = await startLyingServer({
    "/f": (socket) => void setTimeout(() => socket.end(`${head(200, { "Content-Length": 2 })}ok`), 500),
  });
  const silence = { ms: 200, longestAnswerMs: 3000 };
  const get = (patienceMs: number) => downloadToMemory([`${server.url}/f`], { patienceMs }, [], {}, silence);
  expect((await get(20_000)).content.toString()).toBe("ok");
  // After 200 and 400 ms in vain.
  expect(server.requests.length).toBeGreaterThanOrEqual(3);
  expect((await get(300)).why).toEqual(["f: the server does not answer"]);
});
