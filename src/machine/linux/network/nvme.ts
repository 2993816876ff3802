import { ptr } from "bun:ffi";
import { constants, readSync } from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import { closing, openFile, refusable, writeAll } from "../descriptors.ts";
import { systemCall } from "../libc.ts";

const FABRICS = "/dev/nvme-fabrics";

/** nvmf_dev_write() of drivers/nvme/host/fabrics.c connects; what can be read afterwards is "instance=0,cntlid=1". */
export function connectNvme(options: string): string {
  return closing(openFile(FABRICS, constants.O_RDWR), (fd) => {
    writeAll(fd, new TextEncoder().encode(options), FABRICS);
    const answer = new Uint8Array(128);
    const length = refusable(FABRICS, () => readSync(fd, answer));
    const instance = /\binstance=(\d+)/.exec(new TextDecoder().decode(answer.subarray(0, length)))?.[1];
    if (instance === undefined) throw new SyscallError("read", "EBADMSG", FABRICS);
    return `nvme${instance}`;
  });
}

/** _IOWR('N', 0x41, struct nvme_admin_cmd) of linux/nvme_ioctl.h, and where its fields are. */
const NVME_IOCTL_ADMIN_CMD = 0xc0484e41;
const COMMAND = { size: 72, addr: 24, dataLength: 36, cdw10: 40, cdw11: 44, cdw12: 48 } as const;
const GET_LOG_PAGE = 0x02;

/** Sends Get Log Page (NVMe 1.4, 5.14): the length in dwords, less one, and the offset in bytes. */
export function readNvmeLog(controller: string, page: number, offset: number, length: number): Uint8Array {
  const path = `/dev/${controller}`;
  return closing(openFile(path, "r"), (fd) => {
    const data = new Uint8Array(length);
    const dwords = length / 4 - 1;
    const command = new DataView(new ArrayBuffer(COMMAND.size));
    command.setUint8(0, GET_LOG_PAGE);
    command.setBigUint64(COMMAND.addr, BigInt(ptr(data)), true);
    command.setUint32(COMMAND.dataLength, length, true);
    command.setUint32(COMMAND.cdw10, page | ((dwords & 0xffff) << 16), true);
    command.setUint32(COMMAND.cdw11, dwords >>> 16, true);
    command.setBigUint64(COMMAND.cdw12, BigInt(offset), true);
    const result = systemCall("ioctl", path, fd, NVME_IOCTL_ADMIN_CMD, new Uint8Array(command.buffer));
    // A status of the controller, which is no errno.
    if (result !== 0) throw new SyscallError("ioctl", "EIO", path);
    return data;
  });
}
