import { LIVE_IMAGE_TYPES } from "../formats/filesystems/filesystem-types.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { Dialect } from "../parameters/dialects/unsupported.ts";
import type { Settings } from "../parameters/parameters.ts";
import type { ImagePlan } from "./plan.ts";

/** The devices that may be the medium, in the order to try, and the image on it; `image` is null if the device itself is the root. */
interface Medium {
  readonly devices: readonly DeviceSpec[];
  readonly image: ImagePlan | null;
}

/** The files that live-boot accepts as images, by their names, and the directories that it accepts as trees. */
export const LIVE_IMAGES: readonly string[] = [...LIVE_IMAGE_TYPES.map((type) => `*.${type}`), "*.dir/"];

const NO_IMAGE: ImagePlan = { iso: null, paths: [], directory: null, inner: [], copyToRam: false, maker: null };

/** Names beside squashfs.img and inside it, as in dmsquash-live. */
const DRACUT_IMAGES = ["/rootfs.img", "/ext3fs.img"];

/**
 * Returns the medium that the command line asks for: with levain's rd.image=, dracut's root=live:, live-boot's boot=live
 * or archiso's archiso…=. `machine` is as in `uname -m`.
 */
export function decideMedium(settings: Settings, machine: string): Medium {
  const { root, image, copyToRam } = settings;
  const iso = settings.iso || null;
  const common = { ...NO_IMAGE, iso, copyToRam: copyToRam === true };
  const device = root?.device === "auto" ? null : (root?.device ?? null);
  const rootDevices = device === null ? [] : [device];
  const isLive = root?.isLive === true || settings.isLive === true;
  if (image !== undefined && !isLive) return { devices: rootDevices, image: { ...common, paths: [image] } };
  if (device !== null && isLive) {
    const { paths, inner } = image === undefined ? dracutPaths(settings) : { paths: [image], inner: [] };
    return { devices: findIso(settings, iso) ?? rootDevices, image: { ...common, paths, inner, maker: "dracut" } };
  }
  const dialect = readDialect(settings);
  if (dialect.isLiveBoot) return decideLiveBoot(settings, common);
  if (dialect.isArchiso) return decideArchiso(settings, common, machine);
  return { devices: rootDevices, image: null };
}

/** Returns whose parameters the command line has. */
export function readDialect(settings: Settings): Dialect {
  const { root, rootFallbacks, boot, archDirectory, archDevice, archFile } = settings;
  const namesArchiso = [archDirectory, archDevice, archFile].some((value) => value !== undefined);
  return {
    isLiveBoot: root === undefined && boot === "live",
    isArchiso: root === undefined && boot !== "live" && namesArchiso,
    hasRoot: root !== undefined || rootFallbacks.length > 0,
  };
}

/** Returns the device of the ISO file; the label in root=live: is that of the filesystem inside the file. */
function findIso({ isoDevice }: Settings, iso: string | null): readonly DeviceSpec[] | null {
  if (iso === null) return null;
  return [isoDevice ?? { by: "file", paths: [iso], among: "all" }];
}

function dracutPaths({ liveDirectory, liveImage }: Settings): Pick<ImagePlan, "paths" | "inner"> {
  const directory = liveDirectory ?? "/LiveOS";
  const names = [liveImage ?? "/squashfs.img", ...DRACUT_IMAGES];
  return {
    paths: names.map((name) => `${directory}${name}`),
    inner: DRACUT_IMAGES.map((name) => `/LiveOS${name}`),
  };
}

function decideLiveBoot(settings: Settings, common: ImagePlan): Medium {
  const { liveMedia, liveModule, liveDirectory } = settings;
  const path = liveDirectory ?? "/live";
  const among = typeof liveMedia === "string" ? liveMedia : "all";
  const paths = LIVE_IMAGES.map((name) => `${path}/${name}`);
  const named = typeof liveMedia === "object" ? [liveMedia] : [];
  const search: DeviceSpec = { by: "file", paths, among };
  return {
    devices: findIso(settings, common.iso) ?? [...named, search],
    image: { ...common, directory: { path, list: liveModule ?? "filesystem" }, maker: "live-boot" },
  };
}

function decideArchiso(settings: Settings, common: ImagePlan, machine: string): Medium {
  const { archDirectory, archDevice, archFile } = settings;
  const paths = ["sfs", "erofs"].map((type) => `${archDirectory ?? "/arch"}/${machine}/airootfs.${type}`);
  const named = archDevice === undefined ? [] : [archDevice];
  const search = archFile ?? (archDevice === undefined ? paths : null);
  const searched: readonly DeviceSpec[] =
    search === null ? [] : [{ by: "file", paths: typeof search === "string" ? [search] : search, among: "all" }];
  return {
    devices: findIso(settings, common.iso) ?? [...named, ...searched],
    image: { ...common, paths, maker: "archiso" },
  };
}
