import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { afterDownload, downloadToMemory as get } from "../../../support/network/download-to-memory.ts";
import { head, type Lie, type LyingServer, startLyingServer } from "../../../support/network/lying-server.ts";

const FILE = Buffer.from(Array.from({ length: 30_000 }, (_, index) => index % 251));
const SHA256 = createHash("sha256").update(FILE).digest("hex");

/** Sends the file as a good server does, the part that is asked for; the first answer ends after 10,000 bytes. */
function cutOnce(more: Readonly<Record<string, string>>): Lie {
  return (socket, headers, count) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers["range"] ?? "")?.[1] ?? 0);
    const isPart = from > 0 && headers["if-range"] === (more["ETag"] ?? more["Last-Modified"]);
    const part = isPart ? FILE.subarray(from) : FILE;
    const range = `bytes ${from}-${FILE.length - 1}/${FILE.length}`;
    socket.write(
      head(isPart ? 206 : 200, {
        "Content-Length": part.length,
        ...(isPart ? { "Content-Range": range } : {}),
        ...more,
      }),
    );
    if (count > 0) return void socket.end(part);
    afterDownload(10_000, () => socket.destroy());
    socket.write(part.subarray(0, 10_000));
  };
}

async function withServer(lies: Readonly<Record<string, Lie>>, act: (server: LyingServer) => Promise<void>) {
  await using server = await startLyingServer(lies);
  await act(server);
}

describe("a download that was cut", () => {
  for (const [what, more] of [
    ["the ETag", { ETag: '"a1"' }],
    ["the date", { "Last-Modified": "Sun, 29 Nov 2026 10:00:00 GMT" }],
  ] as const) {
    test(`continues where it was, by ${what}`, () =>
      withServer({ "/f": cutOnce(more) }, async ({ url, requests }) => {
        const { content, why } = await get([`${url}/f`], { digest: { algorithm: "sha256", hex: SHA256 } });
        expect(why).toBeNull();
        expect(content.equals(FILE)).toBeTrue();
        expect(requests).toEqual(["/f", "/f bytes=10000-"]);
      }));
  }

  test("begins again if nothing says that the file is the same", () =>
    withServer({ "/f": cutOnce({}) }, async ({ url, requests }) => {
      expect((await get([`${url}/f`])).content.equals(FILE)).toBeTrue();
      expect(requests).toEqual(["/f", "/f"]);
    }));

  test("begins again if the server sends another part than it was asked for", () => {
    const lie: Lie = (socket, headers, count) => {
      if (count !== 1) return cutOnce({ ETag: '"a"' })(socket, headers, count);
      socket.end(`${head(206, { "Content-Length": 5, "Content-Range": "bytes 0-4/5", ETag: '"a"' })}lies!`);
    };
    return withServer({ "/f": lie }, async ({ url, requests }) => {
      expect((await get([`${url}/f`])).content.equals(FILE)).toBeTrue();
      expect(requests).toEqual(["/f", "/f bytes=10000-", "/f"]);
    });
  });

  test("is complete if nothing was missing, whatever the server says about that", () => {
    const lie: Lie = (socket, headers) => {
      if (headers["range"] !== undefined) {
        const range = `bytes */${FILE.length}`;
        return void socket.end(`${head(416, { "Content-Length": 9, "Content-Range": range })}416 error`);
      }
      afterDownload(FILE.length, () => socket.destroy());
      socket.write(`${head(200, { "Transfer-Encoding": "chunked", ETag: '"a"' })}${FILE.length.toString(16)}\r\n`);
      socket.write(FILE);
    };
    return withServer({ "/f": lie }, async ({ url, requests }) => {
      const { content, why } = await get([`${url}/f`]);
      expect([content.equals(FILE), why]).toEqual([true, null]);
      expect(requests).toEqual(["/f", "/f bytes=30000-"]);
    });
  });

  test("is given up when no more of it comes than before", () =>
    withServer({ "/f": (socket, headers) => cutOnce({})(socket, headers, 0) }, async ({ url, requests }) => {
      expect((await get([`${url}/f`], { patienceMs: 1000 })).why).toEqual([
        "f: the connection ended after 9.8 KiB of 29.3 KiB",
      ]);
      expect(requests.length).toBeLessThan(5);
    }));
});

describe("a server that lies", () => {
  const LIES: Readonly<Record<string, Lie>> = {
    "/short": (socket) => {
      afterDownload(5, () => socket.end());
      socket.write(`${head(200, { "Content-Length": 100 })}short`);
    },
    "/huge": (socket) => socket.end(head(200, { "Content-Length": 1e12 })),
    "/endless": (socket) => {
      socket.write(head(200, {}));
      const send = () => socket.destroyed || void socket.write(Buffer.alloc(1 << 16), () => setImmediate(send));
      send();
    },
    "/loop": (socket) => socket.end(head(302, { Location: "/loop", "Content-Length": 0 })),
    "/elsewhere": (socket) => socket.end(head(302, { Location: "file:///etc/passwd", "Content-Length": 0 })),
    "/moved": (socket) => socket.end(head(301, { Location: "sub/../ok?x=1#y", "Content-Length": 0 })),
    "/ok": (socket) => socket.end(`${head(200, { "Content-Length": 2 })}ok`),
    "/gzip": (socket) => socket.end(`${head(200, { "Content-Length": 2, "Content-Encoding": "gzip" })}ok`),
    "/long": (socket) => socket.end(`${head(200, { "Content-Length": 2, "Content-Encoding": "x".repeat(4000) })}ok`),
    "/negative": (socket) => socket.end(`${head(200, { "Content-Length": -5 })}ok`),
    "/headers": (socket) => socket.end(`${head(200, { Bomb: "x".repeat(16 << 20) })}ok`),
    "/part": (socket) => socket.end(`${head(206, { "Content-Length": 2, "Content-Range": "bytes 0-1/9" })}ok`),
    "/text": (socket) => socket.end("hello\r\n\r\n"),
    "/busy": (socket, _, count) =>
      socket.end(count === 0 ? head(503, { "Content-Length": 0 }) : `${head(200, { "Content-Length": 2 })}ok`),
  };

  for (const [path, words] of [
    ["short", "the connection ended after 5 bytes of 100 bytes"],
    ["huge", "the file has 931.3 GiB, and there is room for 1 MiB"],
    ["endless", "the file does not end, and there is room for 1 MiB"],
    ["loop", "it redirects too often"],
    ["elsewhere", "it redirects to an address that is not HTTP"],
    ["gzip", "the server compresses the file (gzip) although that was refused"],
    ["long", `the server compresses the file (${"x".repeat(80)}) although that was refused`],
    ["negative", "the server does not speak HTTP"],
    ["headers", "the server does not speak HTTP"],
    ["part", "the server sent another part of the file than it was asked for (bytes 0-1/9)"],
    ["text", "the server closed the connection"],
    ["none", "the server answers with status 404"],
  ] as const) {
    test(`is found out: ${path}`, () =>
      withServer(LIES, async ({ url }) => {
        expect((await get([`${url}/${path}`], { patienceMs: 300 })).why).toEqual([`${path}: ${words}`]);
      }));
  }

  test("with another file is refused by the digest, and the next URL has its turn", () =>
    withServer({ ...LIES, "/good": (socket) => socket.end(`${head(200, {})}good`) }, async ({ url }) => {
      const digest = { algorithm: "sha256", hex: createHash("sha256").update("good").digest("hex") } as const;
      const { content, why } = await get([`${url}/ok`, `${url}/good`], { digest });
      expect([content.toString(), why]).toEqual(["good", null]);
      expect((await get([`${url}/ok`], { digest })).why).toEqual([
        "ok: its sha256 is 2689367b205c16ce32ed4200942b8b8b1e262dfc70d9bc9fbc77c49699a4f1df",
      ]);
    }));

  test("redirects and an overloaded server are followed up", () =>
    withServer(LIES, async ({ url, requests }) => {
      expect((await get([`${url}/moved`])).content.toString()).toBe("ok");
      expect((await get([`${url}/busy`])).content.toString()).toBe("ok");
      expect(requests).toEqual(["/moved", "/ok?x=1", "/busy", "/busy"]);
    }));

  test("that is not there is tried again until the patience is over", async () => {
    const startMs = performance.now();
    expect((await get(["http://127.0.0.1:1/f"], { patienceMs: 1500 })).why).toEqual(["f: the connection was refused"]);
    // It has tried more than once; on a host that is busy that takes longer than it waits.
    expect(performance.now() - startMs).toBeGreaterThan(300);
  });
});
