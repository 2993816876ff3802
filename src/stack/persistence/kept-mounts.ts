import type { KeptPath } from "../../formats/persistence-conf.ts";

/** What a volume keeps. */
export interface KeptVolume {
  /** By which it was found; null for a LUKS volume without a name. */
  readonly name: string | null;
  /** For a person, safe to print. */
  readonly text: string;
  readonly kept: readonly KeptPath[];
}

/** A directory of the root, and the number of the volume that keeps it. */
export interface KeptMount extends KeptPath {
  readonly volume: number;
}

/** A directory that two volumes keep: only the first of them does so. */
export interface Rivalry {
  readonly path: string;
  readonly used: KeptVolume;
  readonly other: KeptVolume;
  /** True if both have the same name, so that nothing says which is meant. */
  readonly isUndecided: boolean;
}

/** Joins what volumes keep, in the order of their mounts: no mount covers one before it, and links come last, because they lie in mounts. */
export function joinKept(volumes: readonly KeptVolume[]): {
  readonly mounts: readonly KeptMount[];
  readonly rivalries: readonly Rivalry[];
} {
  const all = volumes.flatMap(({ kept }, volume) => kept.map((one): KeptMount => ({ ...one, volume })));
  const firstOf = (path: string) => all.find((one) => one.path === path);
  const mounts = all.filter((one) => firstOf(one.path) === one);
  const rivalries = all.flatMap((one): readonly Rivalry[] => {
    const [used, other] = [volumes[firstOf(one.path)?.volume ?? 0], volumes[one.volume]];
    if (used === undefined || other === undefined || used === other) return [];
    return [{ path: one.path, used, other, isUndecided: used.name === other.name }];
  });
  const byPath = (one: KeptMount, other: KeptMount) => (one.path < other.path ? -1 : 1);
  const links = mounts.filter(({ method }) => method === "link");
  return { mounts: [...mounts.filter(({ method }) => method !== "link").toSorted(byPath), ...links], rivalries };
}
