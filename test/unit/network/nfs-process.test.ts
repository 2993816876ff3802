import { expect, test } from "bun:test";
import { connections } from "../../../src/machine/linux/network/connections.ts";
import type { MountRequest } from "../../../src/machine/machine.ts";
import { decodeAnswer, encodeJson, type NfsOrder } from "../../../src/network/nfs/order.ts";
import { createNfsMounts } from "../../../src/network/nfs/serve.ts";
import { SyscallError } from "../../../src/problems/errors.ts";

const REQUEST: MountRequest = {
  source: "s:/x",
  target: "/sysroot",
  type: "nfs",
  flags: ["ro"],
  options: "addr=192.0.2.1",
};

function ask(order: NfsOrder, mount: (request: MountRequest) => void = () => undefined) {
  return createNfsMounts({ ...connections, mount })(encodeJson(order)).then(decodeAnswer);
}

const connect = (host: string, port: number) => ask({ kind: "connect", host, port, timeoutMs: 2000 });

test("the address of a server that accepts connections, and why another does not", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  expect(await connect("127.0.0.1", port)).toEqual({ address: "127.0.0.1" });
  expect(await connect("localhost", port)).toEqual({ address: "127.0.0.1" });
  server.stop(true);
  expect(await connect("127.0.0.1", port)).toEqual({ code: "ECONNREFUSED" });
  expect(await connect("server.invalid", port)).toHaveProperty("code");
});

test("the kernel's answer to a mount", async () => {
  const requests: MountRequest[] = [];
  expect(await ask({ kind: "mount", request: REQUEST }, (request) => void requests.push(request))).toEqual({
    address: null,
  });
  expect(requests).toEqual([REQUEST]);
  const refused = () => {
    throw new SyscallError("mount", "EACCES", "/sysroot");
  };
  expect(await ask({ kind: "mount", request: REQUEST }, refused)).toEqual({ code: "EACCES" });
});
