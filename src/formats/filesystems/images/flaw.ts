import type { ByteSource } from "../../facts.ts";

/** What is wrong with an image file by its own superblock. */
export type ImageFlaw =
  /** The file ends before the filesystem does, which has `wholeBytes`. */
  | { readonly kind: "short"; readonly wholeBytes: number }
  /** `part` of it, as "the inode table", cannot be where the superblock says, or holds something else. */
  | { readonly kind: "damaged"; readonly part: string };

/** Looks for a flaw that the kernel would find only after the root was handed over, by a few short reads. Throws what `source` throws. */
export type FindFlaw = (source: ByteSource) => ImageFlaw | null;
