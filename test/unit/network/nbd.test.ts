import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { createRemoteDisks } from "../../../src/machine/linux/network/remote.ts";
import type { TcpSocket } from "../../../src/machine/network/remote.ts";
import { type Negotiated, negotiate } from "../../../src/network/remote/nbd.ts";
import { isErrno } from "../../../src/problems/errors.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { serveNbd } from "../../support/network/block-servers.ts";
import { askNbd } from "../../support/network/nbd-client.ts";

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

/** A connection on which these bytes come, and then its end. */
function socketWith(bytes: Uint8Array): TcpSocket {
  let at = 0;
  return {
    send: () => undefined,
    receive(most) {
      const part = bytes.subarray(at, at + most);
      at += part.length;
      return part;
    },
    close: () => undefined,
  };
}

function negotiateAtOnce(sent: Uint8Array): Negotiated {
  const negotiation = negotiate(socketWith(sent), "disk");
  for (let steps = 0; steps < 1000; steps += 1) {
    const { done, value } = negotiation.next();
    if (done) return value;
  }
  throw new Error("the negotiation does not end");
}

test("a real nbd-server: an export, and one that it does not have", async () => {
  const file = join(scratchDirectory(), "disk");
  writeFileSync(file, new Uint8Array(1_000_448));
  const ask = async (name: string) => {
    const server = serveNbd({ disk: file });
    const result = await askNbd(server.port, name);
    server.stop();
    return result;
  };
  const found = await ask("disk");
  expect(found).toMatchObject({ kind: "export", sizeBytes: 1_000_448, blockBytes: 512 });
  // NBD_FLAG_READ_ONLY
  expect(found.kind === "export" && found.flags & 2).toBe(2);
  expect(await ask("other")).toMatchObject({ kind: "refused", refusal: "unknown-export" });
});

test("a port on which no server listens", () => {
  const disks = createRemoteDisks();
  expect(() => disks.connectTcp(LOOPBACK, 1, "nobody").receive(1, 1000)).toThrow(
    expect.objectContaining({ code: "ECONNREFUSED" }),
  );
});

const GREETING = Buffer.from("4e42444d41474943494841564 54f50540003".replace(" ", ""), "hex");

/** NBD_INFO_EXPORT, NBD_INFO_BLOCK_SIZE and the end of the list, with numbers at which something ends. */
const offer = fc
  .tuple(fc.nat(9000), fc.constantFrom(0, 1, 511, 513, 1024, 1536, 4096, 8192, 2 ** 32 - 1))
  .map(([blocks, blockBytes]) => {
    const [size, least] = [Buffer.alloc(12), Buffer.alloc(14)];
    size.writeBigUInt64BE(BigInt(blocks) * BigInt(blockBytes), 2);
    least.writeUInt16BE(3, 0);
    least.writeUInt32BE(blockBytes, 2);
    return Buffer.concat([replyOf(3, size), replyOf(3, least), replyOf(1, new Uint8Array())]);
  });

function replyOf(type: number, data: Uint8Array, length = data.length): Buffer {
  const head = Buffer.from("0003e889045565a900000007".padEnd(40, "0"), "hex");
  head.writeUInt32BE(type, 12);
  head.writeUInt32BE(length, 16);
  return Buffer.concat([head, data]);
}

/** A reply with a head that is right but for what is random. */
const reply = fc
  .tuple(
    fc.constantFrom(1, 2, 3, 2 ** 31 + 1, 2 ** 31 + 6, 2 ** 31 + 99, 7),
    fc.uint8Array({ maxLength: 40 }),
    fc.option(fc.nat({ max: 2 ** 32 - 1 }), { nil: undefined, freq: 5 }),
  )
  .map(([type, data, length]) => replyOf(type, data, length));

test("crafted replies are refused, or an export that the driver accepts", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(reply, { maxLength: 40 }).map((replies) => Buffer.concat([GREETING, ...replies])),
    offer.map((replies) => Buffer.concat([GREETING, replies])),
  );
  fc.assert(
    fc.property(bytes, (sent) => {
      try {
        const result = negotiateAtOnce(sent);
        if (result.kind === "refused") return result.words.length <= 800;
        const { sizeBytes, blockBytes } = result;
        return sizeBytes > 0 && sizeBytes % blockBytes === 0 && [512, 1024, 2048, 4096].includes(blockBytes);
      } catch (error) {
        return isErrno(error, "ECONNRESET");
      }
    }),
    { numRuns: 2000 },
  );
});

test("a server that sends one byte after the other does not hold up the boot between them", () => {
  const size = Buffer.from(
    "0003e8890455 65a9 00000007 00000003 0000000c 0000 0000000000002000 0000".replaceAll(" ", ""),
    "hex",
  );
  const ack = Buffer.from("0003e889045565a9000000070000000100000000", "hex");
  const all = Buffer.concat([GREETING, size, ack]);
  const whole = socketWith(all);
  const negotiation = negotiate({ ...whole, receive: (most, ms) => whole.receive(Math.min(1, most), ms) }, "disk");
  let turns = 0;
  let last = negotiation.next();
  for (; !last.done; last = negotiation.next()) turns += 1;
  expect(last.value).toMatchObject({ kind: "export", sizeBytes: 8192 });
  expect(turns).toBeGreaterThan(all.length - 8);
});
