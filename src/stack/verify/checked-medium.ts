/** A medium whose files are checked. */
export interface CheckedMedium {
  /** Of the root device. */
  readonly node: string;
  /** The ISO file on it, from the initramfs; null: the device itself. */
  readonly iso: string | null;
  /** The tree of the images. */
  readonly base: string;
  /** The images that make the root, as paths below `base`. */
  readonly images: readonly string[];
  /** True for archiso: its checksum file is beside the image. */
  readonly isArchiso: boolean;
}
