import { ptr } from "bun:ffi";
import { SyscallError } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import * as net from "../../network/abi.ts";
import type { DhcpSocket } from "../../network/network.ts";
import { callKernel, systemCall } from "../libc.ts";

const SUBJECT = "DHCP";
/** A DHCP packet may be as long as the MTU of the link. */
const buffer = new Uint8Array(16 << 10);

/**
 * IPv4, UDP, not a fragment, to port 68 (linux/filter.h: u16 code, u8 jump if true, u8 jump if false, u32 operand). Without it, the
 * socket would queue every packet of the link.
 */
const FILTER: readonly (readonly [code: number, yes: number, no: number, operand: number])[] = [
  [0x30, 0, 0, 9], // ldb [9]: the protocol
  [0x15, 0, 6, 17], // UDP?
  [0x28, 0, 0, 6], // ldh [6]: the place of a fragment
  [0x45, 4, 0, 0x1fff],
  [0xb1, 0, 0, 0], // ldxb 4*([0]&0xf): the length of the header
  [0x48, 0, 0, 2], // ldh [x+2]: the port
  [0x15, 0, 1, 68],
  [0x06, 0, 0, 0xffff], // accept
  [0x06, 0, 0, 0], // drop
];

/** Opens a packet socket for DHCP on one interface; `fd` is for a wait. */
export function openDhcpSocket(index: number): { readonly fd: number; readonly socket: DhcpSocket } {
  // Protocol 0: it receives nothing until it is bound, so nothing that the filter does not let through.
  const fd = systemCall("socket", SUBJECT, net.AF_PACKET, net.SOCK_DGRAM | abi.SOCK_CLOEXEC, 0);
  const close = () => void callKernel("close", [fd]);
  const everyHost = linkAddress(index);
  try {
    attachFilter(fd);
    systemCall("bind", SUBJECT, fd, everyHost, everyHost.length);
  } catch (error) {
    close();
    throw error;
  }
  return {
    fd,
    socket: {
      send: (packet) => void systemCall("sendto", SUBJECT, fd, packet, packet.length, 0, everyHost, everyHost.length),
      receive() {
        const length = callKernel("recvfrom", [fd, buffer, buffer.length, abi.MSG_DONTWAIT, 0, 0]);
        // ENETDOWN is reported once, when the interface goes down.
        if (length === "EAGAIN" || length === "ENETDOWN") return null;
        if (typeof length === "string") throw new SyscallError("recvfrom", length, SUBJECT);
        return buffer.slice(0, length);
      },
      close,
    },
  };
}

function attachFilter(fd: number): void {
  const filter = new Uint8Array(FILTER.length * 8);
  const view = new DataView(filter.buffer);
  for (const [at, [code, yes, no, operand]] of FILTER.entries()) {
    view.setUint16(at * 8, code, true);
    view.setUint8(at * 8 + 2, yes);
    view.setUint8(at * 8 + 3, no);
    view.setUint32(at * 8 + 4, operand, true);
  }
  const program = new Uint8Array(net.SOCK_FPROG.size);
  new DataView(program.buffer).setUint16(net.SOCK_FPROG.len, FILTER.length, true);
  new DataView(program.buffer).setBigUint64(net.SOCK_FPROG.filter, BigInt(ptr(filter)), true);
  systemCall("setsockopt", SUBJECT, fd, abi.SOL_SOCKET, net.SO_ATTACH_FILTER, program, program.length);
}

/** The broadcast address of Ethernet on an interface, as struct sockaddr_ll. */
function linkAddress(index: number): Uint8Array {
  const address = new Uint8Array(net.SOCKADDR_LL.size);
  const view = new DataView(address.buffer);
  view.setUint16(net.SOCKADDR_LL.sll_family, net.AF_PACKET, true);
  view.setUint16(net.SOCKADDR_LL.sll_protocol, net.ETH_P_IP, false);
  view.setInt32(net.SOCKADDR_LL.sll_ifindex, index, true);
  view.setUint8(net.SOCKADDR_LL.sll_halen, 6);
  address.fill(0xff, net.SOCKADDR_LL.sll_addr, net.SOCKADDR_LL.sll_addr + 6);
  return address;
}
