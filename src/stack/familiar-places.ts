import type { Context } from "../drivers/context.ts";
import type { ImagePlan } from "../plan/plan.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import type { RootStack } from "./root-stack.ts";

type Maker = NonNullable<ImagePlan["maker"]>;
type Links = readonly (readonly [path: string, target: string])[];

/** Creates the links that installers and tools of a live medium expect to its parts: those of live-boot, archiso and dracut's dmsquash-live. */
export function linkFamiliarPlaces(
  { machine, voice, undo }: Context,
  maker: ImagePlan["maker"],
  stack: RootStack,
  isMediumThere: boolean,
): void {
  if (maker === null) return;
  try {
    for (const [path, target] of listLinks(NAMES[maker], stack, isMediumThere)) {
      if (machine.lstat(path) !== null) continue; // the image's own
      machine.makeDirectory(path.slice(0, path.lastIndexOf("/")));
      machine.makeSymlink(target, path);
      undo(() => machine.removeFile(path));
    }
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`tools of the live medium may not find it: ${describeRefusal(error)}`);
  }
}

function listLinks(
  names: Names,
  { source, iso, images, lowers, upper, merged }: RootStack,
  isMediumThere: boolean,
): Links {
  const medium: Links = [[names.medium, images], ...(iso === null ? [] : [[names.isoDisk, source] as const])];
  const trees = lowers.flatMap((lower, index): Links => {
    const isLive = lower.kind === "image" && lower.isLive;
    const path = isLive ? names.lower(lower.path.slice(lower.path.lastIndexOf("/") + 1), index) : null;
    // The root itself has no other place.
    return path === null || lower.place === merged ? [] : [[path, lower.place]];
  });
  const overlay: Links = upper === null ? [] : [[names.overlay, upper.place]];
  return [...(isMediumThere ? medium : []), ...trees, ...overlay];
}

interface Names {
  readonly medium: string;
  /** Of the device with the ISO file. */
  readonly isoDisk: string;
  readonly overlay: string;
  /** Of the image `name`, which is number `index` from below; null if it has none. */
  readonly lower: (name: string, index: number) => string | null;
}

const firstOnly = (path: string) => (_: string, index: number) => (index === 0 ? path : null);

/** The places in the newest version of each. */
const NAMES: Readonly<Record<Maker, Names>> = {
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
