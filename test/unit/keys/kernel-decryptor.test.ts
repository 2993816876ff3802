import { describe, expect, test } from "bun:test";
import { parseCipher } from "../../../src/crypto/cipher.ts";
import { aesDecryptor } from "../../../src/keys/area-decryptor.ts";
import { kernelDecryptor } from "../../../src/keys/kernel-decryptor.ts";
import { findDecryptor } from "../../../src/keys/obstacles.ts";
import type { KernelCiphers } from "../../../src/machine/encryption.ts";
import { SyscallError } from "../../../src/problems/errors.ts";
import { CRYPT_MODULES } from "../../support/fake-device-mapper.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const MODULES = { ...CRYPT_MODULES, ctr: {} };
const KEY = Uint8Array.from({ length: 64 }, (_, index) => (index * 91 + 5) & 0xff);
const DATA = Uint8Array.from({ length: 6 * 512 }, (_, index) => (index * 37) & 0xff);

/** A machine whose module loader knows what modules.alias and modules.dep say of these. */
function machineWithLoader() {
  const files = Object.fromEntries(Object.keys(MODULES).map((name) => [`/${name}.ko`, "\x7fELF"]));
  const machine = fakeMachine({ files, modules: MODULES, mounted: { "/sys": "sysfs" } });
  const asked: string[] = [];
  const load = (name: string) => {
    asked.push(name);
    const needed = name === "algif_skcipher" ? ["af_alg", name] : [name.replace("crypto-", "")];
    for (const module of needed) {
      if (module in MODULES && machine.stat(`/sys/module/${module}`) === null) machine.startModule(`/${module}.ko`, "");
    }
  };
  return { machine: { ...machine, asked }, load };
}

/** A kernel that has no cipher, and counts how often it is asked. */
function kernelThat(code: string): KernelCiphers & { readonly count: () => number } {
  let count = 0;
  return {
    count: () => count,
    decryptByKernel(algorithm) {
      count += 1;
      throw new SyscallError("bind", code, algorithm);
    },
  };
}

function specOf(text: string) {
  const spec = parseCipher(text);
  if (spec === null) throw new Error(text);
  return spec;
}

describe("the AES of the kernel and of the runtime are equal", () => {
  test.each([
    ["aes-xts-plain64", 64],
    ["aes-xts-plain", 32],
    ["aes-xts-essiv:sha256", 64],
    ["aes-cbc-essiv:sha256", 16],
    ["aes-cbc-essiv:sha256", 32],
    ["aes-cbc-plain", 24],
    ["aes-cbc-plain64be", 32],
    ["aes-cbc-benbi", 32],
    ["aes-cbc-eboiv", 32],
    ["aes-cbc-null", 16],
    ["aes-ctr-plain64", 32],
    ["aes-ecb", 32],
    ["aes-ecb-plain64", 32],
    ["aes", 32],
  ])("%s, %d bytes", (cipher, keyBytes) => {
    const { machine, load } = machineWithLoader();
    const kernel = kernelDecryptor(machine, load);
    const key = KEY.subarray(0, keyBytes);
    expect(kernel.handles(specOf(cipher), keyBytes)).toBe(true);
    const plain = kernel.decrypt(specOf(cipher), key, DATA);
    expect(plain.toHex()).toBe(new Uint8Array(aesDecryptor.decrypt(specOf(cipher), key, DATA)).toHex());
  });
});

describe("ciphers that the kernel does not have", () => {
  test("its modules are loaded by the names that the kernel would request, and only once", () => {
    const { machine, load } = machineWithLoader();
    const kernel = kernelDecryptor(machine, load);
    expect(kernel.handles(specOf("aes-cbc-essiv:sha256"), 32)).toBe(true);
    expect(machine.asked).toEqual(["algif_skcipher", "crypto-aes", "crypto-cbc", "crypto-ctr"]);
    expect(kernel.handles(specOf("aes-cbc-essiv:sha256"), 32)).toBe(true);
    expect(kernel.handles(specOf("aes-cbc-essiv:sha256"), 16)).toBe(true);
    expect(machine.asked).toHaveLength(4);
  });

  test.each([
    ["ENOENT", "serpent-xts-plain64", "which this kernel does not have (crypto-serpent, crypto-xts, crypto-ecb)"],
    ["ENOENT", "xchacha12,aes-adiantum-plain64", "(crypto-xchacha12, crypto-aes, crypto-adiantum, crypto-nhpoly1305)"],
    ["EAFNOSUPPORT", "serpent-xts-plain64", "which needs the kernel's ciphers (module algif_skcipher)"],
    ["EINVAL", "serpent-xts-plain64", "which the kernel refuses with a key of 512 bits (EINVAL)"],
  ])("%s for %s is told in words", (code, cipher, text) => {
    const machine = kernelThat(code);
    const kernel = kernelDecryptor(machine);
    expect(kernel.handles(specOf(cipher), 64)).toBe(false);
    expect(kernel.explain?.(specOf(cipher), 64)).toContain(text);
    expect(machine.count()).toBe(code === "EINVAL" ? 1 : 2);
    expect(findDecryptor(cipher, 64, [aesDecryptor, kernel])).toBe(null);
  });

  test.each([
    "serpent-xts-eboiv",
    "cipher_null-ecb",
    "serpent-cbc-lmk",
    "serpent-cbc-essiv:nothing",
    "serpent-cbc-plain:x",
  ])("%s is nothing that it is asked for", (cipher) => {
    const machine = kernelThat("EIO");
    const kernel = kernelDecryptor(machine);
    expect(kernel.handles(specOf(cipher), 32)).toBe(false);
    expect(kernel.explain?.(specOf(cipher), 32)).toBe("which is not supported");
    expect(machine.count()).toBe(0);
  });
});
