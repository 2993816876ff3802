import { atari } from "./atari.ts";
import { dos } from "./dos.ts";
import { gpt, pmbr } from "./gpt.ts";
import { mac } from "./mac.ts";
import type { TableFormat } from "./model.ts";
import { bsd } from "./unix/bsd.ts";
import { solaris } from "./unix/solaris.ts";
import { aix, sgi, sun, ultrix } from "./unix/workstations.ts";

/** All kinds of partition table in libblkid's order: the first that is recognised counts. */
export const TABLE_FORMATS: readonly TableFormat[] = [aix, sgi, sun, dos, gpt, pmbr, mac, ultrix, bsd, solaris, atari];
