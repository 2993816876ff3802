import { bcachefs } from "./containers/bcachefs.ts";
import { CONTAINERS } from "./containers/containers.ts";
import { RAIDS } from "./containers/raids.ts";
import { FILESYSTEMS, jffs2 } from "./filesystems/filesystems.ts";
import type { Signature } from "./signature.ts";

/**
 * Every type that is known, in libblkid's order, which decides between several on a floppy disk and among containers. The last two are
 * not in libblkid 2.38, so they never take the place of a type that is.
 */
export const SIGNATURES: readonly Signature[] = [...RAIDS, ...CONTAINERS, ...FILESYSTEMS, bcachefs, jffs2];
