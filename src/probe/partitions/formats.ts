import { aix } from "./aix.ts";
import { atari } from "./atari.ts";
import { bsd } from "./bsd.ts";
import { dos } from "./dos.ts";
import { gpt, pmbr } from "./gpt.ts";
import { mac } from "./mac.ts";
import type { TableFormat } from "./model.ts";
import { sgi } from "./sgi.ts";
import { solaris } from "./solaris.ts";
import { sun } from "./sun.ts";
import { ultrix } from "./ultrix.ts";

/** Every kind of partition table, in libblkid's order: the first that is recognised is the disk's. */
export const TABLE_FORMATS: readonly TableFormat[] = [aix, sgi, sun, dos, gpt, pmbr, mac, ultrix, bsd, solaris, atari];
