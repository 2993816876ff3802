import { dlopen } from "bun:ffi";
import type { LibraryHash, LibraryHashes } from "../../encryption.ts";
import { provideLibrary } from "./library.ts";

/** RHash, for hashes that the runtime does not have, or, as BLAKE2s, not for PBKDF2. */
const NAME = "librhash.so.0";

/** By libcryptsetup's names: the number in enum RHashIds of rhash.h, and the sizes of the standard. */
const HASHES: Readonly<Record<string, Omit<LibraryHash, "hash"> & { readonly id: number }>> = {
  whirlpool: { id: 1 << 9, digestBytes: 64, blockBytes: 64 }, // ISO/IEC 10118-3
  "blake2s-256": { id: 1 << 29, digestBytes: 32, blockBytes: 64 }, // RFC 7693
};

type Library = ReturnType<typeof bindLibrary>;

const opened: { library?: Library | null } = {};

/** Implements hashes by librhash, loaded at the first use. */
export const libraryHashes: LibraryHashes = {
  findLibraryHash(name) {
    const found = Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
    if (found === undefined) return null;
    if (opened.library === undefined) opened.library = openLibrary();
    const { library } = opened;
    if (library === null) return null;
    const { id, digestBytes, blockBytes } = found;
    const hash: LibraryHash["hash"] = (message, digest) => void library.rhash_msg(id, message, message.length, digest);
    return { digestBytes, blockBytes, hash };
  },
};

/** null if the library is missing: the caller reports it. */
function openLibrary(): Library | null {
  try {
    return bindLibrary();
  } catch {
    return null;
  }
}

function bindLibrary() {
  const { rhash_library_init, rhash_msg } = dlopen(provideLibrary(NAME), {
    rhash_library_init: { args: [], returns: "void" },
    // hash_id, message, length, result.
    rhash_msg: { args: ["u32", "ptr", "u64", "ptr"], returns: "i32" },
  }).symbols;
  rhash_library_init();
  return { rhash_msg };
}
