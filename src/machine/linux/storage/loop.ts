import * as fs from "node:fs";
import { isErrno } from "../../../problems/errors.ts";
import {
  LO_FLAGS_AUTOCLEAR,
  LO_FLAGS_READ_ONLY,
  LO_NAME_SIZE,
  LOOP_CLR_FD,
  LOOP_CONFIG,
  LOOP_CONFIGURE,
  LOOP_CTL_GET_FREE,
  LOOP_INFO64,
  LOOP_SET_FD,
  LOOP_SET_STATUS64,
} from "../../abi.ts";
import type { Files, LoopRequest } from "../../machine.ts";
import { refusable } from "../files.ts";
import { systemCall } from "../libc.ts";
import { makeMissingNode } from "./nodes.ts";

const CONTROL = "/dev/loop-control";
/** Others may take the free device first; each time it was free when we asked. */
const ATTEMPTS = 16;

/** How a loop device is given its file; the second is for kernels before 5.8, and exported for its test. */
export type ConfigureLoop = (loopFd: number, fileFd: number, node: string, info: Uint8Array) => void;

/**
 * Loop devices. They are LO_FLAGS_AUTOCLEAR: when the last user lets go (the real system unmounts it), the device is
 * gone and the medium below can be unmounted too. Until somebody else uses it, the descriptor that is kept here is
 * that user; it closes with detachLoop, or with this process.
 */
export function createLoopDevices(files: Pick<Files, "stat" | "readFile" | "makeNode">, configure = configureLoop) {
  const openLoops = new Map<string, number>();
  return {
    attachLoop(request: LoopRequest): string {
      const fileFd = openFile(request.file, request.readOnly);
      try {
        for (let attempt = 1; ; attempt++) {
          try {
            const { node, fd } = attachFreeLoop(files, fileFd, request, configure);
            openLoops.set(node, fd);
            return node;
          } catch (error) {
            if (attempt === ATTEMPTS || !isErrno(error, "EBUSY")) throw error;
          }
        }
      } finally {
        fs.closeSync(fileFd);
      }
    },
    detachLoop(node: string): void {
      const fd = openLoops.get(node) ?? openFile(node, true);
      openLoops.delete(node);
      try {
        systemCall("ioctl", node, fd, LOOP_CLR_FD, 0);
      } finally {
        fs.closeSync(fd);
      }
    },
  };
}

function openFile(path: string, readOnly: boolean): number {
  return refusable(path, () => fs.openSync(path, readOnly ? "r" : "r+"));
}

function attachFreeLoop(
  files: Pick<Files, "stat" | "readFile" | "makeNode">,
  fileFd: number,
  request: LoopRequest,
  configure: ConfigureLoop,
): { node: string; fd: number } {
  const node = findFreeLoop(files);
  const fd = openFile(node, request.readOnly);
  try {
    configure(fd, fileFd, node, loopInfo(request));
    return { node, fd };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function findFreeLoop(files: Pick<Files, "stat" | "readFile" | "makeNode">): string {
  const control = openFile(CONTROL, false);
  let number: number;
  try {
    number = systemCall("ioctl", CONTROL, control, LOOP_CTL_GET_FREE, 0);
  } finally {
    fs.closeSync(control);
  }
  const node = `/dev/loop${number}`;
  // Where no devtmpfs makes it. The minor is not always the number: loop.max_part= spreads them.
  makeMissingNode(files, node, "block", `/sys/block/loop${number}/dev`);
  return node;
}

function loopInfo(request: LoopRequest): Uint8Array {
  const info = new Uint8Array(LOOP_INFO64.size);
  const view = new DataView(info.buffer);
  view.setBigUint64(LOOP_INFO64.lo_offset, BigInt(request.offset ?? 0), true);
  view.setUint32(LOOP_INFO64.lo_flags, LO_FLAGS_AUTOCLEAR | (request.readOnly ? LO_FLAGS_READ_ONLY : 0), true);
  // Only for people who run losetup; the last byte stays NUL.
  const name = Buffer.from(request.file).subarray(0, LO_NAME_SIZE - 1);
  info.set(name, LOOP_INFO64.lo_file_name);
  return info;
}

/** LOOP_CONFIGURE sets everything at once, so nobody sees the device half made. */
const configureLoop: ConfigureLoop = (loopFd, fileFd, node, info) => {
  const config = new Uint8Array(LOOP_CONFIG.size);
  new DataView(config.buffer).setUint32(LOOP_CONFIG.fd, fileFd, true);
  config.set(info, LOOP_CONFIG.info);
  try {
    systemCall("ioctl", node, loopFd, LOOP_CONFIGURE, config);
  } catch (error) {
    // Both are what a kernel says that does not know the request; if it does, the older way is refused as well.
    if (!isErrno(error, "EINVAL", "ENOTTY")) throw error;
    configureLoopInTwoSteps(loopFd, fileFd, node, info);
  }
};

/** LOOP_SET_FD and LOOP_SET_STATUS64; read-only comes from the way the two files were opened. */
export const configureLoopInTwoSteps: ConfigureLoop = (loopFd, fileFd, node, info) => {
  systemCall("ioctl", node, loopFd, LOOP_SET_FD, fileFd);
  try {
    systemCall("ioctl", node, loopFd, LOOP_SET_STATUS64, info);
  } catch (error) {
    systemCall("ioctl", node, loopFd, LOOP_CLR_FD, 0);
    throw error;
  }
};
