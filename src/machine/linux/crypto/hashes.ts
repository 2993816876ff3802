import { dlopen } from "bun:ffi";
import type { LibraryHash, LibraryHashes } from "../../encryption.ts";
import { provideLibrary } from "./library.ts";

/** RHash, for hashes that the large libraries have dropped. */
const NAME = "librhash.so.0";
/** rhash.h, enum RHashIds. */
const RHASH_WHIRLPOOL = 1 << 9;
/** ISO/IEC 10118-3, of Whirlpool: 512 bits both. */
const WHIRLPOOL_BYTES = 64;

const opened: { whirlpool?: LibraryHash | null } = {};

/** Implements Whirlpool by librhash, loaded at the first use. */
export const libraryHashes: LibraryHashes = {
  findLibraryHash(name) {
    if (name !== "whirlpool") return null;
    if (opened.whirlpool === undefined) opened.whirlpool = openWhirlpool();
    return opened.whirlpool;
  },
};

/** null if the library is missing: the caller reports it. */
function openWhirlpool(): LibraryHash | null {
  try {
    const { rhash_library_init, rhash_msg } = dlopen(provideLibrary(NAME), {
      rhash_library_init: { args: [], returns: "void" },
      // hash_id, message, length, result.
      rhash_msg: { args: ["u32", "ptr", "u64", "ptr"], returns: "i32" },
    }).symbols;
    rhash_library_init();
    return {
      digestBytes: WHIRLPOOL_BYTES,
      blockBytes: WHIRLPOOL_BYTES,
      hash: (message, digest) => void rhash_msg(RHASH_WHIRLPOOL, message, message.length, digest),
    };
  } catch {
    return null;
  }
}
