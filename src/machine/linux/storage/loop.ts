import * as fs from "node:fs";
import { isErrno } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import type { LoopRequest } from "../../storage/loops.ts";
import { closing, openFile } from "../descriptors.ts";
import { systemCall } from "../libc.ts";
import { makeMissingNode, type NodeFiles } from "./nodes.ts";

const CONTROL = "/dev/loop-control";
/** Another process may take the free device first. */
const ATTEMPTS = 16;

type ConfigureLoop = (loopFd: number, fileFd: number, node: string, info: Uint8Array) => void;

/**
 * Implements loop devices with LO_FLAGS_AUTOCLEAR: when the last user releases one (the real system unmounts it), the device is
 * detached and the medium below can be unmounted too. Until the device is mounted, the descriptor that is kept here is its user;
 * it is closed by detachLoop, or with this process.
 */
export function createLoopDevices(files: NodeFiles, configure = configureLoop) {
  const openLoops = new Map<string, number>();
  return {
    attachLoop(request: LoopRequest): string {
      return closing(openFile(request.file, request.readOnly ? "r" : "r+"), (fileFd) => {
        for (let attempt = 1; ; attempt++) {
          try {
            const { node, fd } = attachFreeLoop(files, fileFd, request, configure);
            openLoops.set(node, fd);
            return node;
          } catch (error) {
            if (attempt === ATTEMPTS || !isErrno(error, "EBUSY")) throw error;
          }
        }
      });
    },
    detachLoop(node: string): void {
      const own = openLoops.get(node) ?? openFile(node, "r");
      openLoops.delete(node);
      closing(own, (fd) => systemCall("ioctl", node, fd, abi.LOOP_CLR_FD, 0));
    },
  };
}

function attachFreeLoop(files: NodeFiles, fileFd: number, request: LoopRequest, configure: ConfigureLoop) {
  const node = findFreeLoop(files);
  const fd = openFile(node, request.readOnly ? "r" : "r+");
  try {
    configure(fd, fileFd, node, loopInfo(request));
    return { node, fd };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function findFreeLoop(files: NodeFiles): string {
  const number = closing(openFile(CONTROL, "r+"), (fd) => systemCall("ioctl", CONTROL, fd, abi.LOOP_CTL_GET_FREE, 0));
  const node = `/dev/loop${number}`;
  // Without devtmpfs. The minor is not always the number: loop.max_part= spreads them.
  makeMissingNode(files, node, "block", `/sys/block/loop${number}/dev`);
  return node;
}

function loopInfo(request: LoopRequest): Uint8Array {
  const info = new Uint8Array(abi.LOOP_INFO64.size);
  const view = new DataView(info.buffer);
  view.setBigUint64(abi.LOOP_INFO64.lo_offset, BigInt(request.offset ?? 0), true);
  // 0: no limit.
  view.setBigUint64(abi.LOOP_INFO64.lo_sizelimit, BigInt(request.size ?? 0), true);
  const readOnly = request.readOnly ? abi.LO_FLAGS_READ_ONLY : 0;
  view.setUint32(abi.LOOP_INFO64.lo_flags, abi.LO_FLAGS_AUTOCLEAR | readOnly, true);
  // For losetup; the last byte stays NUL.
  const name = Buffer.from(request.file).subarray(0, abi.LO_NAME_SIZE - 1);
  info.set(name, abi.LOOP_INFO64.lo_file_name);
  return info;
}

/** LOOP_CONFIGURE sets everything at once, so that no process sees an incomplete device. */
const configureLoop: ConfigureLoop = (loopFd, fileFd, node, info) => {
  const config = new Uint8Array(abi.LOOP_CONFIG.size);
  new DataView(config.buffer).setUint32(abi.LOOP_CONFIG.fd, fileFd, true);
  config.set(info, abi.LOOP_CONFIG.info);
  try {
    systemCall("ioctl", node, loopFd, abi.LOOP_CONFIGURE, config);
  } catch (error) {
    // Both are returned by kernels without this request; for any other reason the older requests are refused as well.
    if (!isErrno(error, "EINVAL", "ENOTTY")) throw error;
    configureLoopInTwoSteps(loopFd, fileFd, node, info);
  }
};

/** LOOP_SET_FD and LOOP_SET_STATUS64; read-only follows from how the two files were opened. */
export const configureLoopInTwoSteps: ConfigureLoop = (loopFd, fileFd, node, info) => {
  systemCall("ioctl", node, loopFd, abi.LOOP_SET_FD, fileFd);
  try {
    systemCall("ioctl", node, loopFd, abi.LOOP_SET_STATUS64, info);
  } catch (error) {
    systemCall("ioctl", node, loopFd, abi.LOOP_CLR_FD, 0);
    throw error;
  }
};
