import { closeSync } from "node:fs";
import { orIfRefused, SyscallError } from "../../../problems/errors.ts";
import * as net from "../../network/abi.ts";
import {
  type Attribute,
  encodeAttributes,
  encodeMessage,
  parseAttributes,
  u32,
  viewOf,
} from "../../network/netlink.ts";
import type { NbdRequest, RemoteDisks, TcpSocket } from "../../network/remote.ts";
import { connectNvme, readNvmeLog } from "./nvme.ts";
import { openNetlinkSocket, request } from "./route-socket.ts";
import { openTcpSocket } from "./tcp-socket.ts";

const FAMILY = "nbd";
const FLAGS = net.NLM_F_REQUEST | net.NLM_F_ACK;

/** Implements disks on servers: TCP, and the driver nbd by genetlink. */
export function createRemoteDisks(): RemoteDisks {
  const descriptors = new Map<TcpSocket, number>();
  return {
    connectTcp(...given) {
      const { fd, socket } = openTcpSocket(...given);
      const tracked: TcpSocket = {
        ...socket,
        close() {
          if (descriptors.delete(tracked)) socket.close();
        },
      };
      descriptors.set(tracked, fd);
      return tracked;
    },
    attachNbd(socket, wanted) {
      const fd = descriptors.get(socket);
      if (fd === undefined) throw new SyscallError("netlink", "EBADF", wanted.device);
      connectNbd(fd, wanted);
    },
    connectNvme,
    readNvmeLog,
  };
}

/** nbd_genl_connect() of drivers/block/nbd.c takes a reference to the connection, and starts the device. */
function connectNbd(connection: number, { device, sizeBytes, blockBytes, flags }: NbdRequest): void {
  const netlink = openNetlinkSocket(net.NETLINK_GENERIC, 0);
  try {
    const item = encodeAttributes([[net.NBD_SOCK_FD, u32(connection)]]);
    const message = encodeMessage(
      { type: findFamily(netlink), flags: FLAGS, sequence: 2 },
      Uint8Array.of(net.NBD_CMD_CONNECT, 0, 0, 0),
      [
        [net.NBD_ATTR_INDEX, u32(Number(device.slice(FAMILY.length)))],
        u64(net.NBD_ATTR_SIZE_BYTES, sizeBytes),
        u64(net.NBD_ATTR_BLOCK_SIZE_BYTES, blockBytes),
        u64(net.NBD_ATTR_SERVER_FLAGS, flags),
        [net.NBD_ATTR_SOCKETS | net.NLA_F_NESTED, encodeAttributes([[net.NBD_SOCK_ITEM | net.NLA_F_NESTED, item]])],
      ],
    );
    request(netlink, message, { sequence: 2, subject: device });
  } finally {
    closeSync(netlink);
  }
}

function u64(type: number, value: number): Attribute {
  return [type, new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)];
}

/** Returns the number that the kernel has given to the family; ENOENT if the driver is not loaded. */
function findFamily(netlink: number): number {
  const message = encodeMessage(
    { type: net.GENL_ID_CTRL, flags: FLAGS, sequence: 1 },
    Uint8Array.of(net.CTRL_CMD_GETFAMILY, 1, 0, 0),
    [[net.CTRL_ATTR_FAMILY_NAME, Buffer.from(`${FAMILY}\0`)]],
  );
  const [answer] = orIfRefused(() => request(netlink, message, { sequence: 1, subject: FAMILY }), [], "ENOENT");
  const id = answer && parseAttributes(answer.payload.subarray(4)).get(net.CTRL_ATTR_FAMILY_ID);
  if (id === undefined || id.length < 2) throw new SyscallError("genetlink", "ENOENT", FAMILY);
  return viewOf(id).getUint16(0, true);
}
