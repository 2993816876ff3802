import type { StorageKind } from "../contract.ts";
import { BTRFS } from "./btrfs.ts";
import { CRYPT } from "./crypt/crypt.ts";
import { PARTITIONS } from "./partitions.ts";

/** THE table of kinds: each kind of storage is a file or folder and a row here. Storage nests in any order, so theirs matters little; but a kind that may have to ask the user comes last. */
export const KINDS: readonly StorageKind[] = [BTRFS, PARTITIONS, CRYPT];
