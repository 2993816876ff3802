import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { makeAuthority } from "../../../support/network/authority.ts";
import { downloadToMemory } from "../../../support/network/download-to-memory.ts";
import { type Nginx, startNginx } from "../../../support/network/nginx.ts";

const FILE = Buffer.alloc(3 << 20, "all that a machine needs to boot ");
const digest = { algorithm: "sha256", hex: createHash("sha256").update(FILE).digest("hex") } as const;
const CHILD = join(import.meta.dir, "../../../support/network/download-child.ts");
const authority = makeAuthority();
let nginx: Nginx;

beforeAll(async () => {
  nginx = await startNginx(authority, { file: FILE, other: Buffer.from("another file") });
});
afterAll(async () => {
  await nginx[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

async function why(urls: readonly string[], more: Parameters<typeof downloadToMemory>[1] = {}) {
  const { content, why } = await downloadToMemory(urls, { limitBytes: 8 << 20, patienceMs: 1000, digest, ...more }, [
    authority.certificate,
  ]);
  return why ?? content.length;
}

describe("a download from nginx", () => {
  test("over HTTP, by a redirect, and over TLS", async () => {
    for (const url of [`${nginx.http}/file`, `${nginx.http}/moved`, `${nginx.https}/file`]) {
      expect(await why([url])).toBe(FILE.length);
    }
  });

  test("goes on where it was when the server is back", async () => {
    const before = nginx.answers().length;
    const running = why([`${nginx.http}/slow/file`], { patienceMs: 120_000 });
    await nginx.interrupt();
    expect(await running).toBe(FILE.length);
    // nginx writes its log after the last byte.
    for (let turn = 0; turn < 1000 && !nginx.answers().slice(before).includes("206"); turn++) await Bun.sleep(20);
    expect(nginx.answers().slice(before)).toContain("206");
  });

  test("is refused with what is wrong, and the next URL has its turn", async () => {
    const refusals = [
      [`${nginx.http}/loop`, "loop: it redirects too often"],
      [`${nginx.http}/none`, "none: the server answers with status 404"],
      [`${nginx.otherName}/file`, "file: its certificate is for another name"],
      [`${nginx.expired}/file`, "file: its certificate has expired, or the clock of this machine is wrong"],
    ] as const;
    for (const [url, reason] of refusals) {
      expect(await why([url])).toEqual([reason]);
      expect(await why([url, `${nginx.https}/file`])).toBe(FILE.length);
    }
    expect(`${await why([`${nginx.http}/other`])}`).toStartWith("other: its sha256 is");
    expect(await why([`${nginx.http}/file`], { limitBytes: 1 << 20 })).toEqual([
      "file: the file has 3 MiB, and there is room for 1 MiB",
    ]);
  });

  test("by 12 machines at once: none fails", async () => {
    const machines = Array.from({ length: 12 }, () =>
      Bun.spawn([process.execPath, CHILD, `${nginx.http}/other`, `${nginx.https}/other`], { stdout: "pipe" }),
    );
    const results = await Promise.all(machines.map(({ stdout }) => new Response(stdout).json()));
    const sha256 = createHash("sha256").update("another file").digest("hex");
    expect(results).toEqual(machines.map(() => ({ bytes: 12, sha256, why: null })));
  });
});
