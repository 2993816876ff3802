import type { BlockDevice } from "../../../devices/block-devices.ts";
import { partitionOf } from "../../../plan/verity/verity.ts";
import type { VerityVolume } from "../../../plan/verity/volumes.ts";
import type { StorageContext } from "../../contract.ts";
import { liesOnStick } from "../../trust.ts";

/** The devices that may be the parts of a volume. */
export interface Candidate {
  readonly data: BlockDevice;
  readonly hashes: BlockDevice;
  readonly fec: BlockDevice | null;
  readonly isNamed: boolean;
}

/**
 * Returns the devices that may be the parts, those that a name or the root hash tells first. A data device that was refused is one of
 * them: its own tree may come later than that of another root.
 */
export function listCandidates(
  context: StorageContext,
  { rootHash, data, hash, options }: VerityVolume,
  isRefused: (device: BlockDevice) => boolean,
): readonly Candidate[] {
  const isFree = (device: BlockDevice) => context.state(device) === null || isRefused(device);
  const all = [...new Set(data.flatMap(context.find))].filter(isFree);
  // A stick may have a copy of the first block.
  const isPlugged = (device: BlockDevice) => liesOnStick(context.machine, device.name);
  const found = [...all.filter((device) => !isPlugged(device)), ...all.filter(isPlugged)];
  const fecs = options.fec?.kind === "device" ? context.find(options.fec.device) : [null];
  const own = options.hashOffset !== null && hash === null;
  const named = hash === null ? context.find(partitionOf(rootHash, "hash")) : context.find(hash);
  const others = hash === null && options.hasSuperblock ? context.devices().filter(isTree) : [];
  return found.flatMap((device) => {
    const trees = own ? [device] : [...named, ...others.filter((other) => !named.includes(other))];
    return trees.flatMap((hashes) =>
      fecs.map((fec) => {
        // Anyone can give a stick the names of the root: the real one may still come.
        const isNamed = (own || named.includes(hashes)) && !isPlugged(device) && !isPlugged(hashes);
        return { data: device, hashes, fec, isNamed };
      }),
    );
  });
}

function isTree({ facts }: BlockDevice): boolean {
  return facts.type === "DM_verity_hash";
}
