import { formatAddress } from "../../src/formats/network/addresses.ts";
import type { NbdRequest, RemoteDisks, TcpSocket } from "../../src/machine/network/remote.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeImage } from "./fake-images.ts";
import type { FakeKernel } from "./fake-kernel.ts";

export interface FakeServer {
  /** It listens from then on, in ms of the kernel's clock; from the start where not given. */
  readonly fromMs?: number;
  /** What it has, by name. */
  readonly exports?: Readonly<Record<string, FakeImage>>;
  /** The number of the error with which it answers instead, without the highest bit. */
  readonly error?: number;
  /** What it sends instead of all that. */
  readonly sends?: Uint8Array;
  /** It accepts the connection and sends nothing. */
  readonly isSilent?: boolean;
  /** NBD_INFO_BLOCK_SIZE. */
  readonly blockBytes?: number;
}

/** By "address:port"; hosts by their names: what a name server says; it is silent about a name without an address. */
export type FakeServers = Readonly<Record<string, FakeServer | readonly string[]>>;

const GREETING = Buffer.from("4e42444d4147494349484156454f50540003", "hex");

/** The calls of disks on servers; attaching an export makes the disk appear. */
export function createFakeRemoteDisks(kernel: FakeKernel, servers: FakeServers): RemoteDisks {
  const agreed = new Map<TcpSocket, FakeImage>();
  return {
    connectTcp(address, port, subject) {
      const server = (servers[`${formatAddress(address)}:${port}`] as FakeServer | undefined) ?? { isSilent: true };
      if (kernel.nowMs < (server.fromMs ?? 0)) throw new SyscallError("connect", "ECONNREFUSED", subject);
      const queue = [...(server.isSilent === true ? [] : (server.sends ?? GREETING))];
      const socket: TcpSocket = {
        send(bytes) {
          if (server.sends !== undefined) return;
          const name = Buffer.from(bytes.subarray(24, 24 + new DataView(bytes.buffer).getUint32(20))).toString();
          const image = server.exports?.[name];
          if (image !== undefined) agreed.set(socket, image);
          queue.push(...answerGo(server, image));
        },
        receive(most, waitMs) {
          if (queue.length > 0) return Uint8Array.from(queue.splice(0, most));
          if (server.sends !== undefined) return new Uint8Array();
          kernel.waitUntil(kernel.nowMs + Math.max(0, waitMs));
          return null;
        },
        close: () => undefined,
      };
      return socket;
    },
    attachNbd(socket, { device }: NbdRequest) {
      const image = agreed.get(socket);
      if (image === undefined) throw new SyscallError("netlink", "EBADF", device);
      kernel.arrive({ name: device, image }, 0);
    },
    ...{ connectNvme: notInABoot, readNvmeLog: notInABoot },
  };
}

function notInABoot(): never {
  throw new Error("FakeMachine: only a child process connects to NVMe over TCP");
}

function answerGo({ error, blockBytes }: FakeServer, image: FakeImage | undefined): Uint8Array {
  if (error !== undefined) return reply(2 ** 31 + error, Buffer.from("ask the admin"));
  if (image === undefined) return reply(2 ** 31 + 6, new Uint8Array());
  const size = Buffer.alloc(12);
  size.writeBigUInt64BE(BigInt(image.bytes.length), 2);
  size.writeUInt16BE(1, 10);
  const blocks = Buffer.alloc(14);
  blocks.writeUInt16BE(3, 0);
  blocks.writeUInt32BE(blockBytes ?? 1, 2);
  return Buffer.concat([reply(3, size), reply(3, blocks), reply(1, new Uint8Array())]);
}

function reply(type: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(20);
  head.write("0003e889045565a9", "hex");
  head.writeUInt32BE(7, 8);
  head.writeUInt32BE(type, 12);
  head.writeUInt32BE(data.length, 16);
  return Buffer.concat([head, data]);
}
