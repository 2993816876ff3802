import { ptr } from "bun:ffi";
import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import { SOCK_CLOEXEC } from "../../abi.ts";
import {
  AF_ALG,
  ALG_OP_DECRYPT,
  ALG_SET_IV,
  ALG_SET_KEY,
  ALG_SET_OP,
  CMSGHDR,
  MSGHDR,
  SOCK_SEQPACKET,
  SOCKADDR_ALG,
  SOL_ALG,
} from "../../abi-crypt.ts";
import type { KernelCiphers } from "../../encryption.ts";
import { systemCall } from "../libc.ts";

const TYPE = "skcipher";
/** struct iovec: pointer and length. */
const IOVEC_BYTES = 16;
const encoder = new TextEncoder();

/** Symmetric ciphers by AF_ALG (Documentation/crypto/userspace-if.rst): one socket holds the key, one of its own does the work. */
export const kernelCiphers: KernelCiphers = {
  decryptByKernel(algorithm, key, ivs, data, unitBytes) {
    const units = data.length / unitBytes;
    const isWhole = Number.isInteger(units) && units > 0 && Number.isInteger(ivs.length / units);
    if (!isWhole) throw new SyscallError("sendmsg", "EINVAL", algorithm);
    const keyFd = systemCall("socket", algorithm, AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    try {
      const address = writeAddress(algorithm);
      systemCall("bind", algorithm, keyFd, address, address.length);
      systemCall("setsockopt", algorithm, keyFd, SOL_ALG, ALG_SET_KEY, key, key.length);
      const workFd = systemCall("accept4", algorithm, keyFd, 0, 0, SOCK_CLOEXEC);
      try {
        return decryptUnits(workFd, algorithm, ivs, data, unitBytes);
      } finally {
        fs.closeSync(workFd);
      }
    } finally {
      fs.closeSync(keyFd);
    }
  },
};

function writeAddress(algorithm: string): Uint8Array {
  const address = new Uint8Array(SOCKADDR_ALG.size);
  const name = encoder.encode(algorithm);
  if (name.length >= SOCKADDR_ALG.name_size || name.includes(0)) {
    throw new SyscallError("bind", "EINVAL", JSON.stringify(algorithm));
  }
  new DataView(address.buffer).setUint16(0, AF_ALG, true);
  address.set(encoder.encode(TYPE), SOCKADDR_ALG.salg_type);
  address.set(name, SOCKADDR_ALG.salg_name);
  return address;
}

/** A message for each unit: its IV and what is to be done with it, then its bytes. */
function decryptUnits(fd: number, algorithm: string, ivs: Uint8Array, data: Uint8Array, unitBytes: number): Uint8Array {
  const units = data.length / unitBytes;
  const ivBytes = ivs.length / units;
  const plain = new Uint8Array(data.length);
  const part = new Uint8Array(unitBytes);
  const message = prepareMessage(part, ivBytes);
  try {
    for (let unit = 0; unit < units; unit++) {
      part.set(data.subarray(unit * unitBytes, (unit + 1) * unitBytes));
      message.iv.set(ivs.subarray(unit * ivBytes, (unit + 1) * ivBytes));
      systemCall("sendmsg", algorithm, fd, message.bytes, 0);
      for (let done = 0; done < unitBytes; ) {
        const got = systemCall(
          "read",
          algorithm,
          fd,
          plain.subarray(unit * unitBytes + done, (unit + 1) * unitBytes),
          unitBytes - done,
        );
        if (got === 0) throw new SyscallError("read", "EIO", algorithm);
        done += got;
      }
    }
    return plain;
  } catch (error) {
    plain.fill(0);
    throw error;
  } finally {
    part.fill(0);
  }
}

/**
 * A struct msghdr that sends `part`, with the place where its IV goes. All that it points at lies behind it in the same bytes, so
 * that the collector leaves it alone as long as they are used; but for `part`, which the caller holds.
 */
function prepareMessage(part: Uint8Array, ivBytes: number) {
  const vectorAt = MSGHDR.size;
  const operationAt = vectorAt + IOVEC_BYTES;
  const ivAt = operationAt + controlBytes(4);
  const bytes = new Uint8Array(ivAt + (ivBytes === 0 ? 0 : controlBytes(4 + ivBytes)));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(MSGHDR.msg_iov, BigInt(ptr(bytes, vectorAt)), true);
  view.setBigUint64(MSGHDR.msg_iovlen, 1n, true);
  view.setBigUint64(MSGHDR.msg_control, BigInt(ptr(bytes, operationAt)), true);
  view.setBigUint64(MSGHDR.msg_controllen, BigInt(bytes.length - operationAt), true);
  view.setBigUint64(vectorAt, BigInt(ptr(part)), true);
  view.setBigUint64(vectorAt + 8, BigInt(part.length), true);
  writeControl(view, operationAt, ALG_SET_OP, 4);
  view.setUint32(operationAt + CMSGHDR.size, ALG_OP_DECRYPT, true);
  if (ivBytes === 0) return { bytes, iv: new Uint8Array() };
  writeControl(view, ivAt, ALG_SET_IV, 4 + ivBytes);
  view.setUint32(ivAt + CMSGHDR.size, ivBytes, true);
  return { bytes, iv: bytes.subarray(ivAt + CMSGHDR.size + 4, ivAt + CMSGHDR.size + 4 + ivBytes) };
}

/** CMSG_SPACE */
function controlBytes(length: number): number {
  return CMSGHDR.size + Math.ceil(length / 8) * 8;
}

function writeControl(view: DataView, at: number, type: number, length: number): void {
  view.setBigUint64(at + CMSGHDR.cmsg_len, BigInt(CMSGHDR.size + length), true);
  view.setInt32(at + CMSGHDR.cmsg_level, SOL_ALG, true);
  view.setInt32(at + CMSGHDR.cmsg_type, type, true);
}
