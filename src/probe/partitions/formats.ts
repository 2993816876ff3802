import { aix } from "./aix.ts";
import { dos } from "./dos.ts";
import { gpt, pmbr } from "./gpt.ts";
import type { TableFormat } from "./model.ts";

/** Every kind of partition table, in libblkid's order: the first that is recognised is the disk's. */
export const TABLE_FORMATS: readonly TableFormat[] = [aix, dos, gpt, pmbr];
