import { deepEqual } from "node:assert/strict";
import { encryptSectors } from "../support/fake-crypt.ts";
import { type ContractCase, loadModule, refuses } from "./case.ts";

// FIPS 197, appendix C.1.
const KEY = Uint8Array.fromHex("000102030405060708090a0b0c0d0e0f");
const PLAIN = Uint8Array.fromHex("00112233445566778899aabbccddeeff");
const ENCRYPTED = Uint8Array.fromHex("69c4e0d86a7b0430d8cdb78070b4c55a");

export function counting(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (first + index * 7) & 0xff);
}

/** The little-endian number of each of `count` sectors, 16 bytes each. */
function sectorNumbers(count: number): Uint8Array {
  const ivs = new Uint8Array(16 * count);
  for (let sector = 0; sector < count; sector++) ivs[sector * 16] = sector;
  return ivs;
}

/** The kernel's ciphers by AF_ALG; the modules that this loads are there for later cases. */
export const KERNEL_CIPHER_CASES: readonly ContractCase[] = [
  {
    name: "the kernel's ciphers are EAFNOSUPPORT without af_alg, and ENOENT without algif_skcipher or their own module",
    check(machine) {
      const decrypt = (algorithm: string) => machine.decryptByKernel(algorithm, KEY, new Uint8Array(), ENCRYPTED, 16);
      refuses("EAFNOSUPPORT", () => decrypt("ecb(aes)"));
      loadModule(machine, "af_alg");
      refuses("ENOENT", () => decrypt("ecb(aes)"));
      loadModule(machine, "algif_skcipher");
      refuses("ENOENT", () => decrypt("ecb(aes)"));
      loadModule(machine, "ecb");
      deepEqual(Buffer.from(decrypt("ecb(aes)")), Buffer.from(PLAIN));
      for (const algorithm of ["xts(aes)", "ecb(nothing)", "nothing", ""]) refuses("ENOENT", () => decrypt(algorithm));
      for (const name of ["xts", "authenc", "essiv"]) loadModule(machine, name);
    },
  },
  {
    name: "the kernel decrypts each unit with its own IV, in xts and cbc",
    check(machine) {
      const plain = counting(5 * 512);
      for (const [algorithm, cipher, keyBytes] of [
        ["xts(aes)", "aes-xts-plain64", 64],
        ["xts(aes)", "aes-xts-plain64", 32],
        ["cbc(aes)", "aes-cbc-plain64", 24],
      ] as const) {
        const key = counting(keyBytes, 3);
        const data = encryptSectors({ cipher, key }, plain);
        const decrypted = machine.decryptByKernel(algorithm, key, sectorNumbers(5), data, 512);
        deepEqual(Buffer.from(decrypted), Buffer.from(plain), algorithm);
      }
    },
  },
  {
    name: "a key, an IV or a unit that does not fit the kernel's cipher is EINVAL",
    check(machine) {
      const data = new Uint8Array(64);
      const iv = new Uint8Array(16);
      refuses("EINVAL", () => machine.decryptByKernel("cbc(aes)", new Uint8Array(15), iv, data, 64));
      refuses("EINVAL", () => machine.decryptByKernel("xts(aes)", new Uint8Array(33), iv, data, 64));
      refuses("EINVAL", () => machine.decryptByKernel("cbc(aes)", KEY, new Uint8Array(8), data, 64));
      refuses("EINVAL", () => machine.decryptByKernel("cbc(aes)", KEY, iv, data.subarray(0, 24), 24));
      refuses("EINVAL", () => machine.decryptByKernel("cbc(aes)", KEY, iv, data, 48));
      refuses("EINVAL", () => machine.decryptByKernel("cbc(aes)", KEY, iv, new Uint8Array(), 16));
      refuses("EINVAL", () => machine.decryptByKernel(`cbc(${"a".repeat(70)})`, KEY, iv, data, 64));
      refuses("EINVAL", () => machine.decryptByKernel("cbc(aes)\0", KEY, iv, data, 64));
    },
  },
];
