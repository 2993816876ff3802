import { SyscallError, unlessRefused } from "../../../problems/errors.ts";
import * as abi from "../../abi/crypt.ts";
import type { MappingTarget } from "../../encryption.ts";
import type { Files } from "../../machine.ts";
import { openFile } from "../descriptors.ts";
import { systemCall } from "../libc.ts";
import { makeMissingNode } from "./nodes.ts";

/** The control node of the device mapper. */
export const CONTROL = "/dev/mapper/control";
const CONTROL_NUMBER = "/sys/class/misc/device-mapper/dev";
const ANSWER_BYTES = 16 << 10;
const MAX_ANSWER_BYTES = 16 << 20;

/** The request of one ioctl. */
export interface DmRequest {
  readonly name?: string;
  readonly uuid?: string;
  readonly flags?: number;
  readonly targets?: readonly MappingTarget[];
}

/** The answer of one ioctl. */
export interface DmAnswer {
  readonly uuid: string;
  readonly minor: number;
  readonly targetCount: number;
  /** The bytes after the struct dm_ioctl. */
  readonly data: Uint8Array;
}

/** Opens the control node, and makes it without devtmpfs. ENOENT if the kernel has no device mapper (yet). */
export function openControl(files: Pick<Files, "stat" | "readFile" | "makeNode" | "makeDirectory">): number {
  if (files.stat(CONTROL) === null) {
    if (files.stat(CONTROL_NUMBER) === null) throw new SyscallError("open", "ENOENT", CONTROL);
    files.makeDirectory("/dev/mapper");
    makeMissingNode(files, CONTROL, "character", CONTROL_NUMBER);
  }
  const noDriver = () => {
    throw new SyscallError("open", "ENOENT", CONTROL);
  };
  return unlessRefused(() => openFile(CONTROL, "r+"), noDriver, "ENODEV", "ENXIO");
}

/** Does one ioctl; `subject` is for its error. Every copy of the request is wiped, here and in the kernel. */
export function askDeviceMapper(fd: number, ioctl: number, subject: string, request: DmRequest): DmAnswer {
  for (let bytes = ANSWER_BYTES; ; bytes *= 2) {
    const buffer = new Uint8Array(abi.DM_IOCTL.size + Math.max(bytes, targetsBytes(request)));
    const view = new DataView(buffer.buffer);
    try {
      writeRequest(buffer, view, request);
      systemCall("ioctl", subject, fd, ioctl, buffer);
      const isFull = (view.getUint32(abi.DM_IOCTL.flags, true) & abi.DM_BUFFER_FULL_FLAG) !== 0;
      if (!isFull) return readAnswer(buffer, view);
      if (bytes >= MAX_ANSWER_BYTES) throw new SyscallError("ioctl", "ENOBUFS", subject);
    } finally {
      buffer.fill(0);
    }
  }
}

/** Returns the bytes of a request without targets. */
export function encodeRequest(request: Pick<DmRequest, "name">): Uint8Array {
  const buffer = new Uint8Array(abi.DM_IOCTL.size);
  writeRequest(buffer, new DataView(buffer.buffer), request);
  return buffer;
}

function writeRequest(buffer: Uint8Array, view: DataView, request: DmRequest): void {
  const { name = "", uuid = "", flags = 0, targets = [] } = request;
  for (const [index, part] of abi.DM_VERSION.entries()) view.setUint32(abi.DM_IOCTL.version + 4 * index, part, true);
  view.setUint32(abi.DM_IOCTL.data_size, buffer.length, true);
  view.setUint32(abi.DM_IOCTL.data_start, abi.DM_IOCTL.size, true);
  view.setUint32(abi.DM_IOCTL.target_count, targets.length, true);
  view.setUint32(abi.DM_IOCTL.flags, flags | abi.DM_SECURE_DATA_FLAG, true);
  putText(buffer, name, abi.DM_IOCTL.name, abi.DM_NAME_LEN);
  putText(buffer, uuid, abi.DM_IOCTL.uuid, abi.DM_UUID_LEN);
  let at: number = abi.DM_IOCTL.size;
  for (const target of targets) {
    const next = targetBytes(target);
    view.setBigUint64(at + abi.DM_TARGET_SPEC.sector_start, BigInt(target.startSector), true);
    view.setBigUint64(at + abi.DM_TARGET_SPEC.length, BigInt(target.sectors), true);
    view.setUint32(at + abi.DM_TARGET_SPEC.next, next, true);
    putText(buffer, target.type, at + abi.DM_TARGET_SPEC.target_type, abi.DM_MAX_TYPE_NAME);
    buffer.set(target.parameters, at + abi.DM_TARGET_SPEC.size);
    at += next;
  }
}

/** The size of a spec with its NUL-terminated parameters, aligned for the next one. */
function targetBytes({ parameters }: MappingTarget): number {
  return Math.ceil((abi.DM_TARGET_SPEC.size + parameters.length + 1) / 8) * 8;
}

function targetsBytes({ targets = [] }: DmRequest): number {
  return targets.reduce((sum, target) => sum + targetBytes(target), 0);
}

/** The last byte stays NUL: longer texts are refused. */
function putText(buffer: Uint8Array, text: string, at: number, room: number): void {
  const bytes = Buffer.from(text);
  if (bytes.length >= room) throw new SyscallError("ioctl", "EINVAL", JSON.stringify(text));
  buffer.set(bytes, at);
}

/** Copies the data, because the buffer is wiped. */
function readAnswer(buffer: Uint8Array, view: DataView): DmAnswer {
  // huge_encode_dev of linux/kdev_t.h.
  const device = view.getBigUint64(abi.DM_IOCTL.dev, true);
  const size = Math.min(view.getUint32(abi.DM_IOCTL.data_size, true), buffer.length);
  const start = Math.min(view.getUint32(abi.DM_IOCTL.data_start, true), size);
  return {
    uuid: readText(buffer, abi.DM_IOCTL.uuid, abi.DM_UUID_LEN),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xfff00n)),
    targetCount: view.getUint32(abi.DM_IOCTL.target_count, true),
    data: buffer.slice(start, size),
  };
}

/** Reads a text up to its NUL. */
export function readText(bytes: Uint8Array, at: number, room = bytes.length - at): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).subarray(at, at + room);
  const end = text.indexOf(0);
  return text.toString("utf8", 0, end < 0 ? text.length : end);
}
