import * as fs from "node:fs";
import { isErrno, SyscallError } from "../../../problems/errors.ts";
import {
  DM_BUFFER_FULL_FLAG,
  DM_IOCTL,
  DM_MAX_TYPE_NAME,
  DM_NAME_LEN,
  DM_SECURE_DATA_FLAG,
  DM_TARGET_SPEC,
  DM_UUID_LEN,
  DM_VERSION,
} from "../../abi-crypt.ts";
import type { MappingTarget } from "../../encryption.ts";
import type { Files } from "../../machine.ts";
import { refusable } from "../files.ts";
import { systemCall } from "../libc.ts";
import { makeMissingNode } from "./nodes.ts";

/** The device mapper's own node. */
export const CONTROL = "/dev/mapper/control";
const CONTROL_NUMBER = "/sys/class/misc/device-mapper/dev";
const ANSWER_BYTES = 16 << 10;
const MAX_ANSWER_BYTES = 16 << 20;

/** What one ioctl is asked. */
export interface DmRequest {
  readonly name?: string;
  readonly uuid?: string;
  readonly flags?: number;
  readonly targets?: readonly MappingTarget[];
}

/** What it answered. */
export interface DmAnswer {
  readonly uuid: string;
  readonly minor: number;
  readonly targetCount: number;
  /** What follows the struct dm_ioctl. */
  readonly data: Uint8Array;
}

/** Opens the control node, which is made where no devtmpfs makes it. ENOENT where the kernel has no device mapper (yet). */
export function openControl(files: Pick<Files, "stat" | "readFile" | "makeNode" | "makeDirectory">): number {
  if (files.stat(CONTROL) === null) {
    if (files.stat(CONTROL_NUMBER) === null) throw new SyscallError("open", "ENOENT", CONTROL);
    files.makeDirectory("/dev/mapper");
    makeMissingNode(files, CONTROL, "character", CONTROL_NUMBER);
  }
  try {
    return refusable(CONTROL, () => fs.openSync(CONTROL, "r+"));
  } catch (error) {
    // A node that somebody made before its driver came.
    if (isErrno(error, "ENODEV", "ENXIO")) throw new SyscallError("open", "ENOENT", CONTROL);
    throw error;
  }
}

/** One ioctl; `subject` is for its error. Every copy of the request is wiped, here and in the kernel. */
export function askDeviceMapper(fd: number, ioctl: number, subject: string, request: DmRequest): DmAnswer {
  for (let bytes = ANSWER_BYTES; ; bytes *= 2) {
    const buffer = new Uint8Array(DM_IOCTL.size + Math.max(bytes, targetsBytes(request)));
    const view = new DataView(buffer.buffer);
    try {
      writeRequest(buffer, view, request);
      systemCall("ioctl", subject, fd, ioctl, buffer);
      const isFull = (view.getUint32(DM_IOCTL.flags, true) & DM_BUFFER_FULL_FLAG) !== 0;
      if (!isFull) return readAnswer(buffer, view);
      if (bytes >= MAX_ANSWER_BYTES) throw new SyscallError("ioctl", "ENOBUFS", subject);
    } finally {
      buffer.fill(0);
    }
  }
}

function writeRequest(buffer: Uint8Array, view: DataView, request: DmRequest): void {
  const { name = "", uuid = "", flags = 0, targets = [] } = request;
  for (const [index, part] of DM_VERSION.entries()) view.setUint32(DM_IOCTL.version + 4 * index, part, true);
  view.setUint32(DM_IOCTL.data_size, buffer.length, true);
  view.setUint32(DM_IOCTL.data_start, DM_IOCTL.size, true);
  view.setUint32(DM_IOCTL.target_count, targets.length, true);
  view.setUint32(DM_IOCTL.flags, flags | DM_SECURE_DATA_FLAG, true);
  putText(buffer, name, DM_IOCTL.name, DM_NAME_LEN);
  putText(buffer, uuid, DM_IOCTL.uuid, DM_UUID_LEN);
  let at: number = DM_IOCTL.size;
  for (const target of targets) {
    const next = targetBytes(target);
    view.setBigUint64(at + DM_TARGET_SPEC.sector_start, BigInt(target.startSector), true);
    view.setBigUint64(at + DM_TARGET_SPEC.length, BigInt(target.sectors), true);
    view.setUint32(at + DM_TARGET_SPEC.next, next, true);
    putText(buffer, target.type, at + DM_TARGET_SPEC.target_type, DM_MAX_TYPE_NAME);
    buffer.set(target.parameters, at + DM_TARGET_SPEC.size);
    at += next;
  }
}

/** A spec and its parameters with a NUL, up to where the next one may begin. */
function targetBytes({ parameters }: MappingTarget): number {
  return Math.ceil((DM_TARGET_SPEC.size + parameters.length + 1) / 8) * 8;
}

function targetsBytes({ targets = [] }: DmRequest): number {
  return targets.reduce((sum, target) => sum + targetBytes(target), 0);
}

/** The last byte stays NUL: longer ones are refused before. */
function putText(buffer: Uint8Array, text: string, at: number, room: number): void {
  const bytes = Buffer.from(text);
  if (bytes.length >= room) throw new SyscallError("ioctl", "EINVAL", JSON.stringify(text));
  buffer.set(bytes, at);
}

/** The data are copied: the buffer is wiped. */
function readAnswer(buffer: Uint8Array, view: DataView): DmAnswer {
  // huge_encode_dev of linux/kdev_t.h.
  const device = view.getBigUint64(DM_IOCTL.dev, true);
  const size = Math.min(view.getUint32(DM_IOCTL.data_size, true), buffer.length);
  const start = Math.min(view.getUint32(DM_IOCTL.data_start, true), size);
  return {
    uuid: readText(buffer, DM_IOCTL.uuid, DM_UUID_LEN),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xfff00n)),
    targetCount: view.getUint32(DM_IOCTL.target_count, true),
    data: buffer.slice(start, size),
  };
}

/** Up to the NUL. */
export function readText(bytes: Uint8Array, at: number, room = bytes.length - at): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).subarray(at, at + room);
  const end = text.indexOf(0);
  return text.toString("utf8", 0, end < 0 ? text.length : end);
}
