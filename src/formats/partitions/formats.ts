import { atari } from "./atari.ts";
import { dos } from "./dos.ts";
import { gpt, pmbr } from "./gpt.ts";
import { mac } from "./mac.ts";
import type { TableFormat } from "./model.ts";
import { aix } from "./unix/aix.ts";
import { bsd } from "./unix/bsd.ts";
import { sgi } from "./unix/sgi.ts";
import { solaris } from "./unix/solaris.ts";
import { sun } from "./unix/sun.ts";
import { ultrix } from "./unix/ultrix.ts";

/** Every kind of partition table, in libblkid's order: the first that is recognised is the disk's. */
export const TABLE_FORMATS: readonly TableFormat[] = [aix, sgi, sun, dos, gpt, pmbr, mac, ultrix, bsd, solaris, atari];
