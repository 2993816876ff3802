import { isErrno, SyscallError } from "../../problems/errors.ts";
import * as abi from "../abi/constants.ts";
import { POLLIN } from "../abi/terminal.ts";
import type { DeviceEvent, Devices } from "../machine.ts";
import { callKernel, systemCall } from "./libc.ts";
import { poll } from "./poll.ts";
import type { AsyncCalls } from "./workers/async-calls.ts";

const SUBJECT = "kernel uevents";
/** Bit 0: the kernel's own events. (Bit 1 is udev's.) */
const KERNEL_GROUP = 1;
/** A machine with hundreds of devices sends a few hundred KiB at once while its drivers are loaded. */
const RECEIVE_BUFFER_BYTES = 16 << 20;
/** UEVENT_BUFFER_SIZE of linux/kobject.h is 2048, without the header and its devpath. */
const MESSAGE_BYTES = 16 << 10;

/** Answers of other processes: the sockets on which they will come; `hear` is called when one has. */
export type Answers = Pick<AsyncCalls, "sockets" | "hear">;
const NO_ANSWERS: Answers = { sockets: () => [], hear: () => undefined };

const OVERFLOW: DeviceEvent = { action: "overflow", devpath: "", subsystem: "", properties: {} };

const decoder = new TextDecoder();
const buffer = new Uint8Array(MESSAGE_BYTES);
const sender = new Uint8Array(abi.SOCKADDR_NL.size);
const senderLength = new Uint32Array(1);

/** Implements uevents by netlink(7), NETLINK_KOBJECT_UEVENT; `answers` are those of other processes. Returns the calls, the socket of uevents for a combined wait (null before levain listens), and a wait for uevents, answers and other descriptors. */
export function createUeventSource(nowMs: () => number, answers: Answers = NO_ANSWERS) {
  let socket: number | null = null;
  let mayHaveLostMore = false;
  const listen = () => (socket ??= openSocket());
  /** A full socket reports it once (netlink_overrun() of net/netlink/af_netlink.c) and drops events until it is empty: the loss is complete only then. */
  function receive(fd: number): DeviceEvent | null {
    const event = receiveEvent(fd);
    if (event?.action === "overflow") mayHaveLostMore = true;
    if (event !== null || !mayHaveLostMore) return event;
    mayHaveLostMore = false;
    return OVERFLOW;
  }
  function waitForNews(fds: readonly number[], timeoutMs: number | null): "answer" | "uevent" {
    const waiting = [...fds, ...answers.sockets()].map((one) => ({ fd: one, events: POLLIN }));
    const answered = poll(waiting, timeoutMs, SUBJECT).slice(fds.length);
    if (answered.every((revents) => revents === 0)) return "uevent";
    answers.hear();
    return "answer";
  }
  const calls: Pick<Devices, "listenForDevices" | "nextDeviceEvent"> = {
    listenForDevices: () => void listen(),
    nextDeviceEvent(timeoutMs) {
      const fd = listen();
      const deadlineMs = nowMs() + (timeoutMs ?? Number.POSITIVE_INFINITY);
      let event = receive(fd);
      for (let leftMs = deadlineMs - nowMs(); event === null && leftMs > 0; leftMs = deadlineMs - nowMs()) {
        const news = waitForNews([fd], leftMs === Number.POSITIVE_INFINITY ? null : leftMs);
        event = receive(fd);
        if (news === "answer") break;
      }
      return event;
    },
  };
  const wait = (fds: readonly number[], timeoutMs: number | null) => void waitForNews([listen(), ...fds], timeoutMs);
  return { calls, socket: () => socket, wait };
}

function openSocket(): number {
  const fd = systemCall("socket", SUBJECT, abi.AF_NETLINK, abi.SOCK_RAW | abi.SOCK_CLOEXEC, abi.NETLINK_KOBJECT_UEVENT);
  const size = new Uint32Array([RECEIVE_BUFFER_BYTES]);
  try {
    systemCall("setsockopt", SUBJECT, fd, abi.SOL_SOCKET, abi.SO_RCVBUFFORCE, size, size.byteLength);
  } catch (error) {
    // Without CAP_NET_ADMIN the ordinary limit holds; an overflow is reported when it happens.
    if (!isErrno(error, "EPERM")) throw error;
    systemCall("setsockopt", SUBJECT, fd, abi.SOL_SOCKET, abi.SO_RCVBUF, size, size.byteLength);
  }
  const address = new Uint8Array(abi.SOCKADDR_NL.size);
  const view = new DataView(address.buffer);
  view.setUint16(abi.SOCKADDR_NL.nl_family, abi.AF_NETLINK, true);
  view.setUint32(abi.SOCKADDR_NL.nl_groups, KERNEL_GROUP, true);
  systemCall("bind", SUBJECT, fd, address, address.length);
  return fd;
}

/** Returns the next queued event; null if there is none. */
function receiveEvent(fd: number): DeviceEvent | null {
  for (;;) {
    senderLength[0] = sender.length;
    const length = callKernel("recvfrom", [fd, buffer, buffer.length, abi.MSG_DONTWAIT, sender, senderLength]);
    if (length === "EAGAIN") return null;
    if (length === "ENOBUFS") return OVERFLOW;
    if (typeof length === "string") throw new SyscallError("recvfrom", length, SUBJECT);
    // Any process with CAP_NET_ADMIN may send to the group; the kernel has port id 0.
    const isKernel = new DataView(sender.buffer).getUint32(abi.SOCKADDR_NL.nl_pid, true) === 0;
    const event = isKernel ? parseUevent(buffer.subarray(0, length)) : null;
    if (event !== null) return event;
  }
}

/** Parses a message of lib/kobject_uevent.c, "ACTION@DEVPATH" and KEY=value, each NUL-terminated; null for anything else. */
export function parseUevent(message: Uint8Array): DeviceEvent | null {
  const [header = "", ...lines] = decoder.decode(message).split("\0");
  const at = header.indexOf("@");
  if (at < 1) return null;
  const properties: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const equals = line.indexOf("=");
    if (equals > 0) properties[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return {
    action: header.slice(0, at),
    devpath: header.slice(at + 1),
    subsystem: properties.SUBSYSTEM ?? "",
    properties,
  };
}
