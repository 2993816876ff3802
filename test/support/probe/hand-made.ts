import { BEFS_HEADERS } from "./befs-headers.ts";
import { CACHE_HEADERS } from "./cache-headers.ts";
import { CLUSTER_HEADERS } from "./cluster-headers.ts";
import { CONTAINER_HEADERS } from "./container-headers.ts";
import { ENCRYPTION_HEADERS } from "./encryption-headers.ts";
import { FILESYSTEM_HEADERS } from "./filesystem-headers.ts";
import type { HandMade } from "./header.ts";
import { OPTICAL_HEADERS } from "./optical-headers.ts";
import { RAID_HEADERS } from "./raid-headers.ts";
import { TABLE_HEADERS } from "./table-headers.ts";
import { UNIX_HEADERS } from "./unix-headers.ts";
import { WINDOWS_HEADERS } from "./windows-headers.ts";

export const HAND_MADE: readonly HandMade[] = [
  ...RAID_HEADERS,
  ...CONTAINER_HEADERS,
  ...CACHE_HEADERS,
  ...CLUSTER_HEADERS,
  ...ENCRYPTION_HEADERS,
  ...FILESYSTEM_HEADERS,
  ...OPTICAL_HEADERS,
  ...UNIX_HEADERS,
  ...BEFS_HEADERS,
  ...WINDOWS_HEADERS,
  ...TABLE_HEADERS,
];
