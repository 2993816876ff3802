import { afterAll, describe, expect, test } from "bun:test";
import { readAuthorities } from "../../../../src/network/fetch/serve.ts";
import { SyscallError } from "../../../../src/problems/errors.ts";
import { makeAuthority } from "../../../support/network/authority.ts";
import { downloadToMemory } from "../../../support/network/download-to-memory.ts";

const authority = makeAuthority();
const other = makeAuthority();
afterAll(() => {
  authority[Symbol.dispose]();
  other[Symbol.dispose]();
});

async function get(url: string, { authorities = [authority.certificate], proxy = null as string | null } = {}) {
  const { content, why } = await downloadToMemory([url], { patienceMs: 300, proxy }, authorities);
  return why?.join().replace(/^\w+: /, "") ?? content.toString();
}

async function serve(subject: string, days: number, act: (url: string) => Promise<void>) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: authority.issue(subject, days),
    routes: {
      "/file": () => new Response("the file"),
      "/down": () => new Response(null, { status: 302, headers: { Location: "http://127.0.0.1:1/file" } }),
    },
  });
  try {
    await act(`https://127.0.0.1:${server.port}`);
  } finally {
    await server.stop(true);
  }
}

describe("HTTPS", () => {
  test("with a certificate of an authority of the image", () =>
    serve("127.0.0.1", 5, async (url) => expect(await get(`${url}/file`)).toBe("the file")));

  test("with a certificate of another authority, or of none that the runtime knows", () =>
    serve("127.0.0.1", 5, async (url) => {
      const words = "its certificate was issued by an authority that this image does not know";
      expect(await get(`${url}/file`, { authorities: [other.certificate] })).toBe(words);
      expect(await get(`${url}/file`, { authorities: [] })).toBe(words);
      expect(await get(`${url}/file`, { authorities: [other.certificate, authority.certificate] })).toBe("the file");
    }));

  test("with a certificate that has expired", () =>
    serve("127.0.0.1", -1, async (url) =>
      expect(await get(`${url}/file`)).toBe("its certificate has expired, or the clock of this machine is wrong"),
    ));

  test("with a certificate for another name", () =>
    serve("boot.example", 5, async (url) =>
      expect(await get(`${url}/file`)).toBe("its certificate is for another name"),
    ));

  test("never goes on without TLS", () =>
    serve("127.0.0.1", 5, async (url) => expect(await get(`${url}/down`)).toBe("it redirects from HTTPS to HTTP")));
});

test("files without a certificate are left out", async () => {
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const files: Readonly<Record<string, string>> = {
    "a.pem~": "",
    "b.txt": "our authorities",
    "c.pem": broken,
    "d.pem": `two\n${other.certificate}\n${authority.certificate}`,
  };
  const found = readAuthorities({
    listDirectory: () => Object.keys(files),
    readFile: (path) => {
      const text = files[path.replace("/etc/levain/authorities/", "")];
      if (text === undefined) throw new SyscallError("open", "ENOENT", path);
      return Buffer.from(text);
    },
  });
  expect(found).toHaveLength(2);
  await serve("127.0.0.1", 5, async (url) =>
    expect(await get(`${url}/file`, { authorities: [...found] })).toBe("the file"),
  );
});

test("a proxy is asked for the whole URL", async () => {
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      asked.push(request.url);
      return new Response("by proxy");
    },
  });
  const proxy = `http://127.0.0.1:${server.port}`;
  expect(await get("http://boot.example/file", { proxy })).toBe("by proxy");
  expect(asked).toEqual(["http://boot.example/file"]);
  await server.stop(true);
});
