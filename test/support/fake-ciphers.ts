import { createDecipheriv } from "node:crypto";
import { decryptXts } from "../../src/crypto/xts.ts";
import type { KernelCiphers } from "../../src/machine/encryption.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";

const IV_BYTES: Readonly<Record<string, number>> = { ecb: 0, cbc: 16, ctr: 16, xts: 16 };

/** AF_ALG of a fake kernel, once its modules are loaded; it has AES and nothing else. */
export function createFakeCiphers(kernel: FakeKernel): KernelCiphers {
  return {
    decryptByKernel(algorithm, key, ivs, data, unitBytes) {
      const units = data.length / unitBytes;
      if (!isWhole(units) || !Number.isInteger(ivs.length / units)) refuse("sendmsg", "EINVAL", algorithm);
      const mode = findMode(kernel, algorithm);
      checkRequest(algorithm, mode, key, ivs.length / units, unitBytes);
      const each = ivs.length === 0 ? new Uint8Array(units * 16) : ivs;
      if (mode === "xts") return decryptXts(key, each, data, unitBytes);
      return decryptUnits(mode, key, each, data, unitBytes);
    },
  };
}

function isWhole(count: number): boolean {
  return Number.isInteger(count) && count > 0;
}

/** The mode of AES that is asked for. */
function findMode(kernel: FakeKernel, algorithm: string): string {
  if (!kernel.loadedModules.includes("af_alg")) refuse("socket", "EAFNOSUPPORT", algorithm);
  if (algorithm.includes("\0") || algorithm.length >= 64) refuse("bind", "EINVAL", algorithm);
  const [, mode = "", cipher = ""] = /^(\w+)\((\w+)\)$/.exec(algorithm) ?? [];
  const isKnown = kernel.loadedModules.includes("algif_skcipher") && kernel.hasCrypto(mode) && cipher === "aes";
  return isKnown && Object.hasOwn(IV_BYTES, mode) ? mode : refuse("bind", "ENOENT", algorithm);
}

function checkRequest(algorithm: string, mode: string, key: Uint8Array, ivBytes: number, unitBytes: number): void {
  const isAesKey = [16, 24, 32].includes(mode === "xts" ? key.length / 2 : key.length);
  if (!isAesKey) refuse("setsockopt", "EINVAL", algorithm);
  if (ivBytes > 0 && ivBytes !== IV_BYTES[mode]) refuse("sendmsg", "EINVAL", algorithm);
  if (mode !== "ctr" && unitBytes % 16 !== 0) refuse("read", "EINVAL", algorithm);
}

function decryptUnits(mode: string, key: Uint8Array, ivs: Uint8Array, data: Uint8Array, unitBytes: number): Uint8Array {
  const plain = new Uint8Array(data.length);
  for (let at = 0, unit = 0; at < data.length; at += unitBytes, unit++) {
    const iv = mode === "ecb" ? null : ivs.subarray(unit * 16, unit * 16 + 16);
    const decipher = createDecipheriv(`aes-${key.length * 8}-${mode}`, key, iv).setAutoPadding(false);
    plain.set(decipher.update(data.subarray(at, at + unitBytes)), at);
  }
  return plain;
}

function refuse(call: string, code: string, algorithm: string): never {
  throw new SyscallError(call, code, algorithm);
}
