import type { FakeImage } from "./fake-images.ts";
import type { FakePartition } from "./fake-partitions.ts";

/** A disk as a test writes it down; it has an image, or partitions, or neither. */
export interface FakeDisk {
  /** The kernel's name, "vda". */
  readonly name: string;
  readonly image?: FakeImage;
  readonly partitions?: readonly FakePartition[];
  /** In place of either: what is on it, byte for byte. */
  readonly content?: Uint8Array;
  readonly readOnly?: boolean;
  /** A drive whose medium can be taken out: without one it cannot be opened, and its size is known when it was opened. */
  readonly isRemovable?: boolean | undefined;
  /** Milliseconds until it answers, when it is opened and for each read; infinity: never; at once where not given. */
  readonly answersAfterMs?: number | undefined;
  /** Milliseconds that a mount for a look takes; none where not given. */
  readonly mountsAfterMs?: number | undefined;
  /** Milliseconds that the kernel replays its journal for in a mount that is to stay; none where not given. */
  readonly replaysForMs?: number | undefined;
  /** How long each look at a file of its filesystem takes. */
  readonly looksAfterMs?: number | undefined;
  /** How long writing to its filesystem takes; infinity: it hangs. */
  readonly writesAfterMs?: number | undefined;
  /** The errno name of every read; with `failsBefore`, of those that begin before this byte. */
  readonly failsWith?: string | undefined;
  readonly failsBefore?: number | undefined;
  /** Milliseconds since the kernel started, or since the module that makes it was loaded; there from the start where not given. */
  readonly arrivesAtMs?: number;
}

export interface FakeBlockDevice
  extends Pick<
    FakeDisk,
    | "answersAfterMs"
    | "mountsAfterMs"
    | "replaysForMs"
    | "looksAfterMs"
    | "writesAfterMs"
    | "failsWith"
    | "failsBefore"
    | "isRemovable"
  > {
  readonly name: string;
  /** "major:minor" */
  readonly number: string;
  readonly devpath: string;
  content: Uint8Array;
  /** The size of its medium when it was last opened, in bytes. */
  openedBytes?: number;
  readOnly: boolean;
  /** 512 where not given. */
  readonly logicalBytes?: number;
}

/** Returns the errno of a read that begins at `offset`; undefined if it succeeds. */
export function errnoOfRead(device: FakeBlockDevice | undefined, offset: number): string | undefined {
  return offset < (device?.failsBefore ?? Number.POSITIVE_INFINITY) ? device?.failsWith : undefined;
}
