import { ptr } from "bun:ffi";
import { SyscallError } from "../../../problems/errors.ts";
import { SOCK_CLOEXEC } from "../../abi/constants.ts";
import * as abi from "../../abi/crypt.ts";
import type { KernelCiphers, KernelKeys } from "../../encryption.ts";
import { closing } from "../descriptors.ts";
import { systemCall } from "../libc.ts";

const TYPE = "skcipher";
/** struct iovec: pointer and length. */
const IOVEC_BYTES = 16;
const encoder = new TextEncoder();

/** Implements symmetric ciphers by AF_ALG (Documentation/crypto/userspace-if.rst): one socket holds the key, a second does the work. */
export const kernelCiphers: KernelCiphers = {
  decryptByKernel(algorithm, key, ivs, data, unitBytes) {
    const units = data.length / unitBytes;
    const isWhole = Number.isInteger(units) && units > 0 && Number.isInteger(ivs.length / units);
    if (!isWhole) throw new SyscallError("sendmsg", "EINVAL", algorithm);
    const socket = systemCall("socket", algorithm, abi.AF_ALG, abi.SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return closing(socket, (keyFd) => {
      const address = writeAddress(algorithm);
      systemCall("bind", algorithm, keyFd, address, address.length);
      systemCall("setsockopt", algorithm, keyFd, abi.SOL_ALG, abi.ALG_SET_KEY, key, key.length);
      const work = systemCall("accept4", algorithm, keyFd, 0, 0, SOCK_CLOEXEC);
      return closing(work, (workFd) => decryptUnits(workFd, algorithm, ivs, data, unitBytes));
    });
  },
};

function writeAddress(algorithm: string): Uint8Array {
  const address = new Uint8Array(abi.SOCKADDR_ALG.size);
  const name = encoder.encode(algorithm);
  if (name.length >= abi.SOCKADDR_ALG.name_size || name.includes(0)) {
    throw new SyscallError("bind", "EINVAL", JSON.stringify(algorithm));
  }
  new DataView(address.buffer).setUint16(0, abi.AF_ALG, true);
  address.set(encoder.encode(TYPE), abi.SOCKADDR_ALG.salg_type);
  address.set(name, abi.SOCKADDR_ALG.salg_name);
  return address;
}

/** Sends a message for each unit: the operation and its IV, then its bytes. */
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
        const rest = plain.subarray(unit * unitBytes + done, (unit + 1) * unitBytes);
        const got = systemCall("read", algorithm, fd, rest, rest.length);
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
 * Makes a struct msghdr that sends `part`, with the place of its IV. Everything that it points at follows it in the same array, so
 * that the garbage collector keeps it, except `part`, which the caller holds.
 */
function prepareMessage(part: Uint8Array, ivBytes: number) {
  const vectorAt = abi.MSGHDR.size;
  const operationAt = vectorAt + IOVEC_BYTES;
  const ivAt = operationAt + controlBytes(4);
  const bytes = new Uint8Array(ivAt + (ivBytes === 0 ? 0 : controlBytes(4 + ivBytes)));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(abi.MSGHDR.msg_iov, BigInt(ptr(bytes, vectorAt)), true);
  view.setBigUint64(abi.MSGHDR.msg_iovlen, 1n, true);
  view.setBigUint64(abi.MSGHDR.msg_control, BigInt(ptr(bytes, operationAt)), true);
  view.setBigUint64(abi.MSGHDR.msg_controllen, BigInt(bytes.length - operationAt), true);
  view.setBigUint64(vectorAt, BigInt(ptr(part)), true);
  view.setBigUint64(vectorAt + 8, BigInt(part.length), true);
  writeControl(view, operationAt, abi.ALG_SET_OP, 4);
  view.setUint32(operationAt + abi.CMSGHDR.size, abi.ALG_OP_DECRYPT, true);
  if (ivBytes === 0) return { bytes, iv: new Uint8Array() };
  writeControl(view, ivAt, abi.ALG_SET_IV, 4 + ivBytes);
  view.setUint32(ivAt + abi.CMSGHDR.size, ivBytes, true);
  return { bytes, iv: bytes.subarray(ivAt + abi.CMSGHDR.size + 4, ivAt + abi.CMSGHDR.size + 4 + ivBytes) };
}

/** CMSG_SPACE */
function controlBytes(length: number): number {
  return abi.CMSGHDR.size + Math.ceil(length / 8) * 8;
}

function writeControl(view: DataView, at: number, type: number, length: number): void {
  view.setBigUint64(at + abi.CMSGHDR.cmsg_len, BigInt(abi.CMSGHDR.size + length), true);
  view.setInt32(at + abi.CMSGHDR.cmsg_level, abi.SOL_ALG, true);
  view.setInt32(at + abi.CMSGHDR.cmsg_type, type, true);
}

function addKey(type: "logon" | "user", description: string, payload: Uint8Array): number {
  return systemCall("add_key", description, type, description, payload, payload.length, abi.KEY_SPEC_THREAD_KEYRING);
}

/**
 * Implements keys in the keyring of this thread, which exists from the first key to the end of the thread (thread-keyring(7)). A
 * table that names such a key must be loaded by the same thread.
 */
export const kernelKeys: KernelKeys = {
  addLogonKey: (description, payload) => addKey("logon", description, payload),
  addUserKey: (description, payload) => addKey("user", description, payload),
  removeKey: (id) => void systemCall("keyctl", `key ${id}`, abi.KEYCTL_UNLINK, id, abi.KEY_SPEC_THREAD_KEYRING),
};
