import type { Context } from "../drivers/context.ts";
import type { ImagePlan } from "../plan/plan.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import type { RootStack } from "./root-stack.ts";

type Maker = NonNullable<ImagePlan["maker"]>;
/** What tools expect at `path`, and where levain has it. */
interface Place {
  readonly path: string;
  readonly target: string;
}

/** What is mounted besides the stack. */
interface Present {
  readonly isMediumThere: boolean;
  /** Of persistence: the device of each, and the place where it is mounted. */
  readonly volumes: readonly { readonly node: string; readonly directory: string }[];
}

/**
 * Makes the parts of a live medium appear where its installers and tools expect them: links below /run for live-boot, archiso and
 * dracut's dmsquash-live, and mounts in the root for casper.
 */
export function showFamiliarPlaces(
  context: Context,
  maker: ImagePlan["maker"],
  stack: RootStack,
  { isMediumThere, volumes }: Present,
): void {
  if (maker === null) return;
  const show = maker === "casper" ? bindPlace : linkPlace;
  const { volume } = NAMES[maker];
  const kept = volume === null ? [] : volumes.map(({ node, directory }) => ({ path: volume(node), target: directory }));
  for (const place of [...listPlaces(NAMES[maker], stack, isMediumThere), ...kept]) {
    try {
      show(context, place, stack);
    } catch (error) {
      if (!isErrno(error)) throw error;
      context.voice.warn(`tools of the live medium may not find ${place.path}: ${describeRefusal(error)}`);
    }
  }
}

function linkPlace({ machine, undo }: Context, { path, target }: Place): void {
  if (machine.lstat(path) !== null) return; // the image's own
  machine.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  machine.makeSymlink(target, path);
  undo(() => machine.removeFile(path));
}

/** Shows a place in the root itself. The root decides what is there: nothing is mounted on a link, which may lead anywhere. */
function bindPlace({ machine, voice, undo }: Context, { path, target }: Place, { merged }: RootStack): void {
  const place = `${merged}${path}`;
  const kind = machine.lstat(place)?.kind;
  if (kind === undefined) machine.makeDirectory(place);
  if (kind !== undefined && kind !== "directory") {
    voice.warn(`tools of the live medium may not find ${path}: the root has a ${kind} there`);
    return;
  }
  machine.mount({ source: target, target: place, type: "", flags: ["bind"], options: "" });
  undo(() => machine.unmount(place));
}

function listPlaces(
  names: Names,
  { source, iso, images, lowers, upper, merged }: RootStack,
  isMediumThere: boolean,
): readonly Place[] {
  const medium = [{ path: names.medium, target: images }];
  if (iso !== null) medium.push({ path: names.isoDisk, target: source });
  const trees = lowers.flatMap((lower, index): readonly Place[] => {
    const isLive = lower.kind === "image" && lower.isLive;
    const path = isLive ? names.lower(lower.path.slice(lower.path.lastIndexOf("/") + 1), index) : null;
    // The root itself has no other place.
    return path === null || lower.place === merged ? [] : [{ path, target: lower.place }];
  });
  const overlay = upper === null || names.overlay === null ? [] : [{ path: names.overlay, target: upper.place }];
  return [...(isMediumThere ? medium : []), ...trees, ...overlay];
}

interface Names {
  readonly medium: string;
  /** Of the device with the ISO file. */
  readonly isoDisk: string;
  /** null if its tools look for none. */
  readonly overlay: string | null;
  /** Of the image `name`, which is number `index` from below; null if it has none. */
  readonly lower: (name: string, index: number) => string | null;
  /** Of the persistence volume on the device `node`; null if its tools look for none. */
  readonly volume: ((node: string) => string) | null;
}

const firstOnly = (path: string) => (_: string, index: number) => (index === 0 ? path : null);

/** The places in the newest version of each. */
const NAMES: Readonly<Record<Maker, Names>> = {
  "live-boot": {
    medium: "/run/live/medium",
    isoDisk: "/run/live/findiso",
    overlay: "/run/live/overlay",
    lower: (name) => `/run/live/rootfs/${name}`,
    volume: (node) => `/run/live/persistence/${node.slice(node.lastIndexOf("/") + 1)}`,
  },
  casper: { medium: "/cdrom", isoDisk: "/isodevice", overlay: null, lower: firstOnly("/rofs"), volume: null },
  archiso: {
    medium: "/run/archiso/bootmnt",
    isoDisk: "/run/archiso/img_dev",
    overlay: "/run/archiso/cowspace",
    lower: firstOnly("/run/archiso/airootfs"),
    volume: null,
  },
  dracut: {
    medium: "/run/initramfs/live",
    isoDisk: "/run/initramfs/isoscan",
    overlay: "/run/initramfs/overlayfs",
    lower: firstOnly("/run/rootfsbase"),
    volume: null,
  },
};
