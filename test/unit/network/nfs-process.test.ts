import { expect, test } from "bun:test";
import { join } from "node:path";
import { createLinuxMachine } from "../../../src/machine/linux/linux.ts";
import { connections } from "../../../src/machine/linux/network/connections.ts";
import type { MountRequest } from "../../../src/machine/mounts.ts";
import { decodeAnswer, encodeJson, type NfsOrder } from "../../../src/network/nfs/order.ts";
import { createNfsMounts } from "../../../src/network/nfs/serve.ts";
import { createServerSearch } from "../../../src/network/remote/find-server.ts";
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

const connect = (host: string, port: number) => ask({ kind: "connect", host, port, timeoutMs: 60_000 });

test("the address of a server that accepts connections, and why another does not", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  expect(await connect("127.0.0.1", port)).toEqual({ address: "127.0.0.1" });
  expect(await connect("localhost", port)).toEqual({ address: "127.0.0.1" });
  server.stop(true);
  expect(await connect("127.0.0.1", port)).toEqual({ code: "ECONNREFUSED" });
  expect(await connect("server.invalid", port)).toEqual({ code: "ENOTFOUND" });
  // As for a file that TFTP is asked for.
  expect(connections.openConversation("server.invalid")).rejects.toMatchObject({ code: "ENOTFOUND" });
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

test("the address of a server by its name, from another process", async () => {
  const own = process.argv[1] ?? "";
  // The process is this program again: outside the compiled one, the script that was started.
  process.argv[1] = join(import.meta.dir, "../../../src/main.ts");
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const search = createServerSearch(createLinuxMachine(), { host: "localhost", port: server.port }, 60_000);
  try {
    expect(search.address()).toBeNull();
    let found: Uint8Array | null = null;
    for (let left = 1200; found === null && left > 0; left--) {
      await Bun.sleep(50);
      found = search.address();
    }
    expect(found).toEqual(Uint8Array.of(127, 0, 0, 1));
  } finally {
    search.stop();
    server.stop(true);
    process.argv[1] = own;
  }
});
