import { expect, test } from "bun:test";
import fc from "fast-check";
import { countEntries, parseEntries } from "../../../src/formats/network/nvme-discovery.ts";
import { decodeNvmeAnswer, encodeNvme, type NvmeOrder } from "../../../src/network/remote/nvme-order.ts";
import { createNvmeConnections } from "../../../src/network/remote/serve-nvme.ts";
import { SyscallError } from "../../../src/problems/errors.ts";

const NQN = "nqn.2014-08.org.example:root";
const ORDER: NvmeOrder = {
  ...{ host: "server.example", port: 4420, ownAddress: null },
  ...{ hostNqn: "nqn.2014-08.org.example:me", hostId: null, timeoutMs: 1000 },
};

interface Listed {
  readonly type?: number;
  readonly subtype?: number;
  readonly nqn?: string;
  readonly address?: string;
  readonly port?: string;
}

/** A log page of a discovery service. */
function logPage(entries: readonly Listed[], count = entries.length): Uint8Array {
  const page = Buffer.alloc(1024 * (1 + entries.length));
  page.writeBigUInt64LE(BigInt(count), 8);
  entries.forEach(({ type = 3, subtype = 2, nqn = NQN, address = "192.0.2.1", port = "4420" }, index) => {
    const at = 1024 * (index + 1);
    page[at] = type;
    page[at + 2] = subtype;
    page.write(port.padEnd(32), at + 32);
    page.write(nqn, at + 256);
    page.write(address.padEnd(256), at + 512);
  });
  return page;
}

async function ask(page: Uint8Array, refuse: (options: string) => string | null = () => null) {
  const calls: string[] = [];
  const bytes = await createNvmeConnections({
    tryConnection: () => Promise.resolve("192.0.2.1"),
    connectNvme(options) {
      calls.push(options);
      const code = refuse(options);
      if (code !== null) throw new SyscallError("write", code, "/dev/nvme-fabrics");
      return "nvme0";
    },
    readNvmeLog: (controller, number, offset, length) => {
      expect([controller, number]).toEqual(["nvme0", 0x70]);
      return page.slice(offset, offset + length);
    },
    writeFile: (path, data) => void calls.push(`${data} to ${path}`),
  })(encodeNvme(ORDER));
  return { calls, answer: decodeNvmeAnswer(bytes) };
}

test("the service is asked, released again, and its subsystems are connected for good", async () => {
  const { calls, answer } = await ask(logPage([{}, { subtype: 3 }, { type: 1 }]));
  const own = "hostnqn=nqn.2014-08.org.example:me";
  expect(calls).toEqual([
    `nqn=nqn.2014-08.org.nvmexpress.discovery,transport=tcp,traddr=192.0.2.1,trsvcid=4420,${own}`,
    "1 to /sys/class/nvme/nvme0/delete_controller",
    `nqn=${NQN},transport=tcp,traddr=192.0.2.1,trsvcid=4420,${own},ctrl_loss_tmo=-1`,
  ]);
  expect(answer).toEqual({ connected: [NQN], refused: [], listed: 3, read: 3 });
});

test("a connection of an earlier try counts, and why another was refused is reported", async () => {
  const again = await ask(logPage([{}]), (options) => (options.includes(NQN) ? "EALREADY" : null));
  expect(again.answer).toMatchObject({ connected: [NQN], refused: [] });
  const refused = await ask(logPage([{}]), (options) => (options.includes(NQN) ? "EIO" : null));
  expect(refused.answer).toMatchObject({ connected: [], refused: [{ nqn: NQN, code: "EIO" }] });
  expect((await ask(logPage([]), () => "ENOENT")).answer).toEqual({ step: "discover", code: "ENOENT" });
});

test("what a server sends cannot add options", async () => {
  const crafted: readonly Listed[] = [
    { nqn: `${NQN},hostnqn=nqn.2014-08.org.example:other` },
    { nqn: "" },
    { nqn: `nqn.${"x".repeat(250)}` },
    { address: "192.0.2.1,hostid=1" },
    { address: "server.example" },
    { port: "4420,x" },
    { port: "" },
  ];
  const { calls, answer } = await ask(logPage(crafted));
  expect(calls).toHaveLength(2);
  expect("refused" in answer && answer.refused.map(({ code }) => code)).toEqual(crafted.map(() => "EBADMSG"));
});

test("a service that claims more than it sends, or too much, is read within bounds", async () => {
  const many = await ask(logPage(Array.from({ length: 70 }, (_, index) => ({ nqn: `${NQN}${index}` }))));
  expect("connected" in many.answer && many.answer.connected).toHaveLength(64);
  expect(many.answer).toMatchObject({ listed: 70, read: 64 });
  expect((await ask(logPage([{}], 2 ** 40))).answer).toMatchObject({ connected: [NQN], listed: 2 ** 40 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
      expect(countEntries(bytes)).toBeGreaterThanOrEqual(0);
      expect(parseEntries(bytes).length).toBeLessThanOrEqual(4);
    }),
  );
});
