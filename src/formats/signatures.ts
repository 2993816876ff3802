import { bcachefs } from "./containers/bcachefs.ts";
import { CONTAINERS } from "./containers/containers.ts";
import { RAIDS } from "./containers/raids.ts";
import { FILESYSTEMS, jffs2 } from "./filesystems/filesystems.ts";
import type { Signature } from "./signature.ts";

/**
 * All known types in libblkid's order, which decides between several on a floppy disk and between containers. libblkid 2.38 does not
 * know the last two, so they never win against a type that it knows.
 */
export const SIGNATURES: readonly Signature[] = [...RAIDS, ...CONTAINERS, ...FILESYSTEMS, bcachefs, jffs2];
