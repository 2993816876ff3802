import { readMounts } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import { problem } from "../../problems/problem.ts";
import type { Voice } from "../../problems/voice.ts";
import type { UpperNames } from "./layout.ts";
import { RECORD } from "./lowers-record.ts";
import type { OpenStore } from "./open-store.ts";

/** What is being removed. At this name it is no upper any more, whenever the power fails. */
const DISCARDED = ".levain-discarded";

/**
 * Empties a store: the upper gets another name in one step, and then goes, with the work directory. Nothing else of the store is
 * removed. Throws BootError unless overlayfs or levain has marked the two directories as an overlay's.
 */
export function resetUpper(machine: Machine, voice: Voice, store: OpenStore, { upper, work }: UpperNames): void {
  const { directory } = store;
  if (machine.lstat(`${directory}/${upper}`) === null) return;
  requireOverlay(machine, store, { upper, work });
  voice.progress(`removing all changes on ${store.name}`);
  discard(machine, directory, upper);
  finishReset(machine, directory, { upper, work });
}

/** Finishes a reset that was interrupted. An upper that is gone leaves its work directory and its record, which are of no use without it. */
export function finishReset(machine: Machine, directory: string, { upper, work }: UpperNames): void {
  const discarded = `${directory}/${DISCARDED}`;
  if (machine.lstat(discarded) !== null) machine.removeTree(discarded);
  if (machine.lstat(`${directory}/${upper}`) !== null) return;
  const record = `${directory}/${RECORD}`;
  if (machine.lstat(record) !== null) machine.removeTree(record);
  if (machine.lstat(`${directory}/${work}`) === null) return;
  discard(machine, directory, work);
  machine.removeTree(discarded);
}

/** Renames one of the directories, and waits until the disk has that: its files must not go before. */
function discard(machine: Machine, directory: string, name: string): void {
  machine.rename(`${directory}/${name}`, `${directory}/${DISCARDED}`);
  machine.syncFilesystem(directory);
}

/** The mark is levain's record, or the directory that overlayfs makes in its work directory; and both lie where the store does. */
function requireOverlay(machine: Machine, store: OpenStore, { upper, work }: UpperNames): void {
  const { directory, name, node } = store;
  const [top, kernels, record] = [upper, `${work}/work`, RECORD].map((part) => machine.lstat(`${directory}/${part}`));
  const isMarked = kernels?.kind === "directory" || record?.kind === "file";
  if (top?.kind !== "directory" || !isMarked) throw problem("store-not-proved", { store: name, node, upper });
  const isMountedIn = readMounts(machine).some(({ target }) => target.startsWith(`${directory}/`));
  if (isMountedIn) throw problem("store-not-proved", { store: name, node, upper });
}
