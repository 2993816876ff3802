import { expect, test } from "bun:test";
import { decodeIscsiAnswer, encodeIscsi } from "../../../src/network/remote/iscsi-order.ts";
import { createIscsiLogins } from "../../../src/network/remote/serve-iscsi.ts";
import { BootError, SyscallError } from "../../../src/problems/errors.ts";
import type { StorageContext } from "../../../src/storage/contract.ts";
import { connectByChild } from "../../../src/storage/kinds/remote/by-child.ts";

const ORDER = { host: "store.example", port: 3260, timeoutMs: 1000, argv: ["/sbin/iscsistart", "-t", "iqn.x:y"] };

async function logIn(status: number, output = "", address: string | null = "192.0.2.1") {
  const runs: (readonly string[])[] = [];
  const answer = await createIscsiLogins({
    tryConnection: (host) =>
      address === null ? Promise.reject(new SyscallError("connect", "ENOTFOUND", host)) : Promise.resolve(address),
    run(argv) {
      runs.push(argv);
      return { status, output };
    },
  })(encodeIscsi(ORDER));
  return { answer: decodeIscsiAnswer(answer), runs };
}

test("iscsistart gets the address of the server, and a session that exists counts", async () => {
  for (const status of [0, 15]) {
    const { answer, runs } = await logIn(status);
    expect(answer).toEqual({ kind: "connected" });
    expect(runs).toEqual([["/sbin/iscsistart", "-t", "iqn.x:y", "-a", "192.0.2.1"]]);
  }
});

test("what iscsistart says last is reported, and a server without an address runs nothing", async () => {
  const said = "initiator reported error (8 - connection timed out)";
  const { answer } = await logIn(8, `iscsistart: Logging into iqn.x:y 192.0.2.1:3260,1\niscsistart: ${said}\n\n`);
  expect(answer).toEqual({ kind: "refused", status: 8, said });
  const none = await logIn(0, "", null);
  expect(none).toEqual({ answer: { kind: "failed", code: "ENOTFOUND" }, runs: [] });
});

test("a login that is given up ends with its program", () => {
  const stopped: unknown[] = [];
  const child = {
    order: () => undefined,
    answer: () => ({ kind: "busy" }) as const,
    hasDaemons: () => false,
    stop: (...given: unknown[]) => void stopped.push(...given),
  };
  const { machine, voice } = { machine: { nowMs: () => 0 }, voice: {} } as unknown as StorageContext;
  const transport = connectByChild(
    { machine, voice },
    {
      where: "",
      begin: () => child,
      decode: () => null,
      gone: null,
      isConnected: () => false,
      explain: () => "",
      problem: () => new BootError(""),
    },
  );
  transport.advance();
  transport.close?.();
  expect(stopped).toEqual(["with programs"]);
});
