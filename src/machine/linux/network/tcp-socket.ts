import { SyscallError } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import { POLLIN } from "../../abi/terminal.ts";
import * as net from "../../network/abi.ts";
import type { TcpSocket } from "../../network/remote.ts";
import { callKernel, systemCall } from "../libc.ts";
import { poll } from "../poll.ts";

/** Begins to connect to a port of an address; `fd` is for the kernel. Throws SyscallError. */
export function openTcpSocket(
  address: Uint8Array,
  port: number,
  subject: string,
): { readonly fd: number; readonly socket: TcpSocket } {
  const place = socketAddress(address, port);
  const kind = net.SOCK_STREAM | abi.SOCK_CLOEXEC | net.SOCK_NONBLOCK;
  const family = place.length === net.SOCKADDR_IN6.size ? net.AF_INET6 : net.AF_INET;
  const fd = systemCall("socket", subject, family, kind, 0);
  try {
    const code = callKernel("connect", [fd, place, place.length]);
    if (typeof code === "string" && code !== "EINPROGRESS") throw new SyscallError("connect", code, subject);
    const yes = Uint32Array.of(1);
    systemCall("setsockopt", subject, fd, net.IPPROTO_TCP, net.TCP_NODELAY, yes, yes.byteLength);
    // The connection of a disk may be silent for hours, and a firewall between the two forgets it.
    systemCall("setsockopt", subject, fd, abi.SOL_SOCKET, net.SO_KEEPALIVE, yes, yes.byteLength);
  } catch (error) {
    callKernel("close", [fd]);
    throw error;
  }
  return { fd, socket: { send: (bytes) => send(fd, bytes, subject), ...receiver(fd, subject) } };
}

/** A few KiB, which always fit into the buffer of a new connection. */
function send(fd: number, bytes: Uint8Array, subject: string): void {
  const sent = systemCall("sendto", subject, fd, bytes, bytes.length, net.MSG_NOSIGNAL, 0, 0);
  if (sent !== bytes.length) throw new SyscallError("sendto", "EAGAIN", subject);
}

function receiver(fd: number, subject: string): Pick<TcpSocket, "receive" | "close"> {
  return {
    receive(most, timeoutMs) {
      const [events] = poll([{ fd, events: POLLIN }], Math.max(0, timeoutMs), subject);
      if (!events) return null;
      const buffer = new Uint8Array(most);
      // A connection that failed is ready to be read too, and says why.
      const length = callKernel("recvfrom", [fd, buffer, most, abi.MSG_DONTWAIT, 0, 0]);
      if (length === "EAGAIN") return null;
      if (typeof length === "string") throw new SyscallError("recvfrom", length, subject);
      return buffer.subarray(0, length);
    },
    close: () => void callKernel("close", [fd]),
  };
}

/** Returns struct sockaddr_in or sockaddr_in6. */
function socketAddress(address: Uint8Array, port: number): Uint8Array {
  const isSix = address.length === 16;
  const place = new Uint8Array(isSix ? net.SOCKADDR_IN6.size : net.SOCKADDR_IN.size);
  const view = new DataView(place.buffer);
  view.setUint16(0, isSix ? net.AF_INET6 : net.AF_INET, true);
  view.setUint16(net.SOCKADDR_IN.sin_port, port, false);
  place.set(address, isSix ? net.SOCKADDR_IN6.sin6_addr : net.SOCKADDR_IN.sin_addr);
  return place;
}
