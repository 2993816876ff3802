import type { Undo } from "../drivers/context.ts";
import { PLACES } from "../filesystems/places.ts";
import type { Machine } from "../machine/machine.ts";
import type { ImagePlan } from "../plan/plan.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";

/** A stacked live image: what was mounted where. */
export interface StackedImage {
  readonly image: ImagePlan;
  /** Of each image: its file on the medium, and the place of its tree; the lowest first. */
  readonly layers: readonly { readonly path: string; readonly place: string }[];
  readonly hasOverlay: boolean;
  /** False where all is in memory, and the medium was let go. */
  readonly isMediumThere: boolean;
}

type Links = readonly (readonly [path: string, target: string])[];

/** Links where the makers of a medium have their parts mounted, which their installers and tools look for: live-boot, archiso and dracut's dmsquash-live. */
export function linkFamiliarPlaces(
  machine: Machine,
  stacked: StackedImage,
  { voice, undo }: { readonly voice: Voice; readonly undo: Undo },
): void {
  try {
    for (const [path, target] of listLinks(stacked)) {
      if (machine.lstat(path) !== null) continue; // the image's own
      machine.makeDirectory(path.slice(0, path.lastIndexOf("/")));
      machine.makeSymlink(target, path);
      undo(() => machine.removeFile(path));
    }
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`tools of the medium may not find it: ${describeRefusal(error)}`);
  }
}

function listLinks({ image, layers, hasOverlay, isMediumThere }: StackedImage): Links {
  const { maker, iso } = image;
  if (maker === null) return [];
  const names = NAMES[maker];
  const medium = iso === null ? PLACES.medium : PLACES.iso;
  const isoDisk: Links = iso === null ? [] : [[names.isoDisk, PLACES.medium]];
  const lowers = layers.map(({ path, place }, index) => [
    names.lower(path.slice(path.lastIndexOf("/") + 1), index),
    place,
  ]);
  return [
    ...(isMediumThere ? [[names.medium, medium] as const, ...isoDisk] : []),
    // One that is the root itself has no other place.
    ...lowers.flatMap(([path, place]) => (path && place && place !== PLACES.root ? [[path, place] as const] : [])),
    ...(hasOverlay ? [[names.overlay, PLACES.overlay] as const] : []),
  ];
}

const firstOnly = (path: string) => (_: string, index: number) => (index === 0 ? path : null);

/** As the newest of each has them. */
const NAMES: Readonly<
  Record<
    NonNullable<ImagePlan["maker"]>,
    {
      readonly medium: string;
      /** Of the device with the ISO file. */
      readonly isoDisk: string;
      readonly overlay: string;
      /** Of the image `name`, which is number `index` from below; null where it has none. */
      readonly lower: (name: string, index: number) => string | null;
    }
  >
> = {
  "live-boot": {
    medium: "/run/live/medium",
    isoDisk: "/run/live/findiso",
    overlay: "/run/live/overlay",
    lower: (name) => `/run/live/rootfs/${name}`,
  },
  archiso: {
    medium: "/run/archiso/bootmnt",
    isoDisk: "/run/archiso/img_dev",
    overlay: "/run/archiso/cowspace",
    lower: firstOnly("/run/archiso/airootfs"),
  },
  dracut: {
    medium: "/run/initramfs/live",
    isoDisk: "/run/initramfs/isoscan",
    overlay: "/run/initramfs/overlayfs",
    lower: firstOnly("/run/rootfsbase"),
  },
};
