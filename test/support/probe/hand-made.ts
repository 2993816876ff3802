import { CONTAINER_HEADERS } from "./container-headers.ts";
import { FILESYSTEM_HEADERS } from "./filesystem-headers.ts";
import type { HandMade } from "./header.ts";
import { RAID_HEADERS } from "./raid-headers.ts";
import { TABLE_HEADERS } from "./table-headers.ts";
import { UNIX_HEADERS } from "./unix-headers.ts";
import { WINDOWS_HEADERS } from "./windows-headers.ts";

/** Every image that is made by hand. */
export const HAND_MADE: readonly HandMade[] = [
  ...RAID_HEADERS,
  ...CONTAINER_HEADERS,
  ...FILESYSTEM_HEADERS,
  ...UNIX_HEADERS,
  ...WINDOWS_HEADERS,
  ...TABLE_HEADERS,
];
