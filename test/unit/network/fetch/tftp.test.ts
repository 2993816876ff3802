import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parseTftp } from "../../../../src/formats/network/tftp.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { downloadToMemory as get } from "../../../support/network/download-to-memory.ts";
import { runInLab } from "../../../support/network-lab.ts";

const FILE = Buffer.from(Array.from({ length: 100_001 }, (_, index) => index % 251));
const SHA256 = createHash("sha256").update(FILE).digest("hex");

/** What a crafted server does with a packet of the client: returns those that it sends back. */
type Behaviour = (packet: Uint8Array, count: number) => readonly Uint8Array[];

async function withServer<T>(behaviour: Behaviour, act: (url: string) => Promise<T>): Promise<T> {
  let count = 0;
  const server = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: {
      data(socket, packet, port, address) {
        for (const answer of behaviour(packet, count++)) socket.send(answer, port, address);
      },
    },
  });
  try {
    return await act(`tftp://127.0.0.1:${server.port}/dir/file`);
  } finally {
    server.close();
  }
}

const data = (block: number, size: number) => {
  const bytes = FILE.subarray((block - 1) * size, block * size);
  return Uint8Array.of(0, 3, (block >> 8) & 255, block & 255, ...bytes);
};
const text = (head: readonly number[], ...fields: readonly string[]) =>
  Uint8Array.of(...head, ...new TextEncoder().encode(fields.map((field) => `${field}\0`).join("")));
const acknowledged = (packet: Uint8Array) => (packet[1] === 4 ? (packet[2] ?? 0) * 256 + (packet[3] ?? 0) : null);

test("a file of dnsmasq's TFTP server, and one that it does not have", async () => {
  const root = scratchDirectory();
  writeFileSync(join(root, "file"), FILE);
  chmodSync(root, 0o755);
  const out = await runInLab({
    dnsmasq: ["--dhcp-range=192.0.2.50,192.0.2.60", "--enable-tftp", `--tftp-root=${root}`],
    before: "ip link set v0 up; ip address add 192.0.2.5/24 dev v0",
    command: `for name in file none; do "$BUN" ${join(import.meta.dir, "../../../support/network/download-child.ts")} tftp://192.0.2.1/$name; done`,
  });
  const [file = "", none = ""] = out.split("\n");
  expect(JSON.parse(file)).toEqual({ bytes: FILE.length, sha256: SHA256, why: null });
  expect(JSON.parse(none).why.join()).toContain("none: the server refuses the file: file");
});

test("a server without options, block by block", () =>
  withServer(
    (packet) => [data((acknowledged(packet) ?? 0) + 1, 512)],
    async (url) => expect((await get([url])).content.equals(FILE)).toBeTrue(),
  ));

test("a window of blocks, of which some are lost or come twice", () => {
  let losses = 0;
  return withServer(
    (packet) => {
      const last = acknowledged(packet);
      if (last === null) return [text([0, 6], "blksize", "1024", "windowsize", "4", "tsize", `${FILE.length}`)];
      const window = [1, 2, 3, 4].map((more) => data(last + more, 1024)).filter((one) => one.length > 4);
      // The second block of two windows is lost; of others, the first comes twice.
      if (last % 8 === 4 && losses++ < 2) window.splice(1, 1);
      return last % 8 === 0 ? [...window.slice(0, 1), ...window] : window;
    },
    async (url) => {
      const { content, why } = await get([url]);
      expect([why, content.equals(FILE)]).toEqual([null, true]);
    },
  );
});

test("the second address of a server is asked if the first does not answer", () =>
  withServer(
    (packet) => [data((acknowledged(packet) ?? 0) + 1, 512)],
    async (url) => {
      const listAddresses = () => Promise.resolve(["127.0.0.9", "127.0.0.1"]);
      const { content, why } = await get([url], {}, [], { listAddresses });
      expect([why, content.equals(FILE)]).toEqual([null, true]);
    },
  ));

test("a server that is silent at each of its addresses is given up when the time is over", () => {
  let asked = 0;
  return withServer(
    () => {
      asked += 1;
      return [];
    },
    async (url) => {
      const listAddresses = () => Promise.resolve(Array.from({ length: 3 }, () => "127.0.0.1"));
      const { why } = await get([url], { patienceMs: 1500 }, [], { listAddresses });
      expect(why?.join()).toContain("the server does not answer");
      // After 0 and 1 s; each address has 3 s or more otherwise.
      expect(asked).toBeLessThanOrEqual(2);
    },
  );
});

test("a server that lies is found out", async () => {
  const lies: readonly (readonly [Behaviour, string])[] = [
    [() => [text([0, 5, 0, 2], "Access \x1b violation")], "Access \x1b violation (TFTP error 2)"],
    [() => [text([0, 6], "blksize", "65464")], "the server does not speak TFTP"],
    [() => [text([0, 6], "tsize", "99999999")], "the file has 95.4 MiB"],
    // A file without an end.
    [(packet) => [Uint8Array.of(0, 3, ...blockAfter(packet), ...new Uint8Array(512))], "the file does not end"],
  ];
  for (const [behaviour, reason] of lies) {
    const why = await withServer(behaviour, async (url) => (await get([url], { patienceMs: 0 })).why);
    expect(why?.join()).toContain(reason);
  }
});

function blockAfter(packet: Uint8Array): readonly [number, number] {
  const next = ((acknowledged(packet) ?? 0) + 1) & 0xffff;
  return [next >> 8, next & 255];
}

test("no packet makes the parser fail", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (packet) => {
      const parsed = parseTftp(packet);
      expect(parsed === null || ["data", "error", "options"].includes(parsed.kind)).toBeTrue();
    }),
  );
});
