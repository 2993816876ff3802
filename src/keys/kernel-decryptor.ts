import type { CipherSpec } from "../crypto/cipher.ts";
import { SECTOR_BYTES } from "../formats/luks/header.ts";
import type { KernelCiphers } from "../machine/encryption.ts";
import { isErrno } from "../problems/errors.ts";
import { type AreaDecryptor, type IvCipher, makeIvs } from "./area-decryptor.ts";

// libcryptsetup's table (lib/crypto_backend/cipher_generic.c), and the kernel's for what is newer.
const SMALL_BLOCKS = new Set(["blowfish", "cast5", "des", "des3_ede", "khazad", "tea", "xtea"]);
const WIDE_IVS = new Set(["adiantum", "hctr2"]);

/**
 * Makes a decryptor of the kernel's ciphers (AF_ALG), for key material that the runtime cannot decrypt. For a missing cipher it
 * calls `loadModule` with the module ("algif_skcipher") or the alias ("crypto-serpent") that the kernel would request.
 */
export function kernelDecryptor(
  machine: KernelCiphers,
  loadModule: (name: string) => void = () => undefined,
): AreaDecryptor {
  const refusals = new Map<string, string | null>();

  function decrypt(spec: CipherSpec, key: Uint8Array, data: Uint8Array): Uint8Array | null {
    const count = data.length / SECTOR_BYTES;
    // ECB has no IV, whatever follows it in the name.
    const ivs = spec.mode === "ecb" ? new Uint8Array() : makeIvs(spec, key, count, describeCipher(machine, spec));
    return ivs && machine.decryptByKernel(`${spec.mode}(${spec.cipher})`, key, ivs, data, SECTOR_BYTES);
  }

  /** Returns the errno name with which the kernel refuses; "" for unknown IVs; null if the kernel has the cipher. */
  function tryOut(spec: CipherSpec, keyBytes: number): string | null {
    // Its parts differ, because some ciphers refuse a key of equal parts.
    const key = Uint8Array.from({ length: keyBytes }, (_, index) => (index * 37 + 11) & 0xff);
    try {
      return decrypt(spec, key, new Uint8Array(SECTOR_BYTES)) === null ? "" : null;
    } catch (error) {
      if (!isErrno(error)) throw error;
      return error.code;
    }
  }

  function findRefusal(spec: CipherSpec, keyBytes: number): string | null {
    const asked = `${spec.text} ${keyBytes}`;
    const known = refusals.get(asked);
    if (known !== undefined) return known;
    let refusal = isUnsupported(spec) ? "" : tryOut(spec, keyBytes);
    if (refusal === "ENOENT" || refusal === "EAFNOSUPPORT") {
      for (const name of listModules(spec)) loadModule(name);
      refusal = tryOut(spec, keyBytes);
    }
    refusals.set(asked, refusal);
    return refusal;
  }

  return {
    handles: (spec, keyBytes) => findRefusal(spec, keyBytes) === null,
    decrypt(spec, key, data) {
      const plain = decrypt(spec, key, data);
      if (plain === null) throw new Error(`asked to decrypt ${spec.text}`);
      return plain;
    },
    explain: (spec, keyBytes) => explain(spec, keyBytes, findRefusal(spec, keyBytes)),
  };
}

/** True for a cipher that does not encrypt, and for eboiv in a mode with which dm-crypt does not support it. */
function isUnsupported({ cipher, mode, iv }: CipherSpec): boolean {
  return cipher === "cipher_null" || (iv === "eboiv" && mode !== "cbc");
}

/** Blocks are encrypted as the key stream of a counter: zeros are decrypted with the block as the first counter. */
function describeCipher(machine: KernelCiphers, { cipher, mode }: CipherSpec): IvCipher {
  const blockBytes = SMALL_BLOCKS.has(cipher) ? 8 : 16;
  return {
    ivBytes: WIDE_IVS.has(mode) ? 32 : blockBytes,
    blockBytes,
    accepts: () => true,
    encrypt: (key, blocks) =>
      machine.decryptByKernel(`ctr(${cipher})`, key, blocks, new Uint8Array(blocks.length), blockBytes),
  };
}

/** Modules and aliases that the kernel would request. */
function listModules({ cipher, mode, iv }: CipherSpec): readonly string[] {
  const helpers = iv === "essiv" || iv === "eboiv" ? ["ctr"] : [];
  // XTS and LRW are built on ECB; Adiantum and HCTR2 have more parts.
  const inner: Readonly<Record<string, readonly string[]>> = {
    xts: ["ecb"],
    lrw: ["ecb"],
    adiantum: ["nhpoly1305"],
    hctr2: ["xctr", "polyval"],
  };
  const names = [...cipher.split(","), mode, ...(Object.hasOwn(inner, mode) ? (inner[mode] ?? []) : []), ...helpers];
  return ["algif_skcipher", ...names.map((name) => `crypto-${name}`)];
}

function explain(spec: CipherSpec, keyBytes: number, refusal: string | null): string {
  if (refusal === "") return "which is not supported";
  if (refusal === "EAFNOSUPPORT") return "which needs the kernel's ciphers (module algif_skcipher)";
  const modules = listModules(spec).slice(1).join(", ");
  if (refusal === "ENOENT") return `which this kernel does not have (${modules})`;
  return `which the kernel refuses with a key of ${keyBytes * 8} bits (${refusal})`;
}
