import { expect, test } from "bun:test";
import { TransferError } from "../../../../src/network/fetch/fault.ts";
import { type Body, type Partial, readReply } from "../../../../src/network/fetch/reply.ts";
import { parseHttpUrl, resolveLocation } from "../../../../src/parameters/sources/http-url.ts";
import { describeFault } from "../../../../src/problems/causes/transfer.ts";
import { createRandomBelow } from "../../../support/random.ts";

const NUMBERS = ["0", "1", "99", "100", "101", "-1", "1e9", "999999999999999999999", "*", "", "x"];
const VALUES = [...NUMBERS, '"a"', 'W/"a"', '"b"', "identity", "gzip", "Sun, 29 Nov 2026 10:00:00 GMT", "\0", "é"];
const STATUSES = [200, 204, 206, 301, 304, 404, 416, 500, 0, 999];
const NAMES = ["etag", "last-modified", "content-length", "content-range", "content-encoding", "location"];

/** Throws unless a body begins a file, or continues exactly what is there. */
function check(status: number, { offset, totalBytes }: Body, partial: Partial | null): void {
  expect(offset === 0).toBe(status === 200);
  if (offset === 0) return;
  expect(offset).toBe(partial?.bytes ?? -1);
  expect(totalBytes ?? offset).toBeGreaterThanOrEqual(offset);
  expect(partial?.totalBytes ?? totalBytes).toBe(totalBytes);
}

/** What the server says that it sends: all that is missing, and nothing else. */
function checkRange(status: number, range: string | null, partial: Partial | null, totalBytes: number | null): void {
  if (status !== 206) return;
  expect(range).toStartWith(`bytes ${partial?.bytes}-`);
  if (totalBytes !== null) expect(range).toBe(`bytes ${partial?.bytes}-${totalBytes - 1}/${totalBytes}`);
}

test("no headers make a body that does not continue exactly what is there", () => {
  for (let seed = 1; seed <= 20_000; seed++) {
    const next = createRandomBelow(seed);
    const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
    const headers = new Map(NAMES.flatMap((name) => (next(3) === 0 ? [] : [[name, pick(VALUES)] as const])));
    if (next(2) === 0) headers.set("content-range", `bytes ${pick(NUMBERS)}-${pick(NUMBERS)}/${pick(NUMBERS)}`);
    const partial: Partial | null =
      next(2) === 0 ? null : { bytes: 100, totalBytes: pick([null, 101]), validator: '"a"' };
    // A part that may be the right one, but for one number.
    if (next(4) === 0) {
      headers.set(
        "content-range",
        `bytes ${pick(["99", "100", "101"])}-${pick(["99", "100", "101"])}/${pick(["101", "102"])}`,
      );
      headers.set("etag", pick(['"a"', '"b"']));
      headers.delete("content-encoding");
    }
    const reply = { status: pick(STATUSES), header: (name: string) => headers.get(name) ?? null };
    try {
      const body = readReply(reply, partial);
      check(reply.status, body, partial);
      checkRange(reply.status, headers.get("content-range") ?? null, partial, body.totalBytes);
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      expect(describeFault(error.fault)).not.toBe("");
    }
  }
});

test("no Location leads out of HTTP, or to a host with a name and a password", () => {
  const base = parseHttpUrl("https://boot.example/a/b?c");
  if (base === null) throw new Error("no URL");
  const PARTS = [
    "/",
    "//",
    "..",
    ".",
    "?",
    "#",
    "http:",
    "https:",
    "file:",
    "javascript:",
    "@",
    "user:pass@",
    "x",
    "[::1]",
    ":99999999",
    "\r\n",
    "%0a",
    "é",
    "\\",
  ];
  for (let seed = 1; seed <= 20_000; seed++) {
    const next = createRandomBelow(seed);
    const text = Array.from({ length: 1 + next(5) }, () => PARTS[next(PARTS.length)]).join("");
    const url = resolveLocation(base, text);
    if (url === null) continue;
    expect(url.authority).toMatch(/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i);
    expect(url.path).toMatch(/^\/[!-~]*$/);
  }
  for (const [location, expected] of [
    ["d", "/a/d"],
    ["../d", "/d"],
    ["../../../d", "/d"],
    ["/d/./e/../f?g=..", "/d/f?g=.."],
    ["?d", "/a/b?d"],
    ["//other.example/d", "/d"],
    ["", "/a/"],
  ] as const) {
    expect(resolveLocation(base, location)?.path).toBe(expected);
  }
});
