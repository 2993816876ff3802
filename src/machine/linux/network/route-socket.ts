import { closeSync } from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import * as net from "../../network/abi.ts";
import { type NetlinkMessage, parseMessages, viewOf } from "../../network/netlink.ts";
import { callKernel, systemCall } from "../libc.ts";

const SUBJECT = "rtnetlink";
/** The kernel puts at most 32 KiB into one datagram of a dump (netlink_dump() of net/netlink/af_netlink.c). */
const buffer = new Uint8Array(64 << 10);

/** Opens a socket of NETLINK_ROUTE; `groups` are those whose notices it receives. */
export function openRouteSocket(groups: number): number {
  return openNetlinkSocket(net.NETLINK_ROUTE, groups);
}

/** Opens a socket of netlink(7). */
export function openNetlinkSocket(protocol: number, groups: number): number {
  const fd = systemCall("socket", SUBJECT, abi.AF_NETLINK, abi.SOCK_RAW | abi.SOCK_CLOEXEC, protocol);
  const address = new Uint8Array(abi.SOCKADDR_NL.size);
  const view = new DataView(address.buffer);
  view.setUint16(abi.SOCKADDR_NL.nl_family, abi.AF_NETLINK, true);
  view.setUint32(abi.SOCKADDR_NL.nl_groups, groups, true);
  try {
    systemCall("bind", SUBJECT, fd, address, address.length);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** Datagrams that are read before the boot goes on: routers that flood the link must not hold it up. */
const MOST_DATAGRAMS = 1000;

/** Returns the messages that are queued, or the first of many; those that were lost (ENOBUFS) are left out. */
export function takeMessages(fd: number): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let count = 0; count < MOST_DATAGRAMS; count++) {
    const length = receive(fd);
    if (length === "EAGAIN") break;
    if (typeof length === "number") messages.push(...parseMessages(buffer.slice(0, length)));
    else if (length !== "ENOBUFS") throw new SyscallError("recvfrom", length, SUBJECT);
  }
  return messages;
}

/**
 * Sends a request and returns the messages of the answer. The kernel answers while the request is sent, and continues a dump while
 * it is read, so nothing is waited for. Throws SyscallError if the kernel refuses; `subject` is for it.
 */
export function request(
  fd: number,
  message: Uint8Array,
  { sequence, subject }: { readonly sequence: number; readonly subject: string },
): readonly NetlinkMessage[] {
  systemCall("sendto", subject, fd, message, message.length, 0, 0, 0);
  const answer: NetlinkMessage[] = [];
  for (;;) {
    const length = receive(fd);
    if (typeof length === "string") throw new SyscallError("recvfrom", length, subject);
    const own = parseMessages(buffer.slice(0, length)).filter((part) => part.sequence === sequence);
    answer.push(...own.filter((part) => !isEnd(part)));
    const end = own.find(isEnd);
    if (end === undefined) continue;
    refuse(end, subject);
    return answer;
  }
}

function isEnd({ type }: NetlinkMessage): boolean {
  return type === net.NLMSG_DONE || type === net.NLMSG_ERROR;
}

/** An error of 0 is an acknowledgement. */
function refuse({ type, payload }: NetlinkMessage, subject: string): void {
  const errno = type === net.NLMSG_ERROR && payload.length >= 4 ? -viewOf(payload).getInt32(0, true) : 0;
  if (errno !== 0) throw new SyscallError("rtnetlink", abi.errnoName(errno), subject);
}

function receive(fd: number): number | string {
  return callKernel("recvfrom", [fd, buffer, buffer.length, abi.MSG_DONTWAIT, 0, 0]);
}
