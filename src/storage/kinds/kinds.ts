import type { StorageKind } from "../contract.ts";
import { startBcache } from "./bcache/bcache.ts";
import { startBcachefs } from "./bcachefs.ts";
import { startBtrfs } from "./btrfs.ts";
import { startCrypt } from "./crypt/crypt.ts";
import { startFirmwareRaid } from "./firmware/firmware.ts";
import { startIntegrity } from "./integrity/integrity.ts";
import { startVolumeGroups } from "./lvm/lvm.ts";
import { startArrays } from "./md/md.ts";
import { startMultipath } from "./multipath/multipath.ts";
import { startPartitions } from "./partitions.ts";
import { startRemote } from "./remote/remote.ts";
import { startVerity } from "./verity/verity.ts";

/** THE table of kinds: each kind of storage is a file or folder and a row here. Storage nests in any order, so theirs matters little; but multipath comes before what could use a single path, and a kind that may have to ask the user last. */
export const KINDS: readonly StorageKind[] = [
  startRemote,
  startMultipath,
  startBtrfs,
  startBcachefs,
  startPartitions,
  startIntegrity,
  startArrays,
  startFirmwareRaid,
  startVolumeGroups,
  startBcache,
  startVerity,
  startCrypt,
];
