import { LIVE_IMAGE_TYPES } from "../formats/filesystems/filesystem-types.ts";
import type { DeviceSpec, FileSpec } from "../parameters/device-spec.ts";
import type { Dialect } from "../parameters/dialects/unsupported.ts";
import type { Settings } from "../parameters/parameters.ts";
import type { MemoryRoot } from "../parameters/sources/memory-root.ts";
import { planFetched, textOf } from "./downloads/downloads.ts";
import type { DownloadPlan } from "./downloads/plan.ts";
import type { ImagePlan } from "./plan.ts";

/** The devices that may be the medium, in the order to try, and the image on it; `image` is null if the device itself is the root. */
interface Medium {
  readonly devices: readonly DeviceSpec[];
  readonly image: ImagePlan | null;
  /** Left out if the image is on one of the devices. */
  readonly download?: DownloadPlan;
}

/** The files that live-boot accepts as images, by their names, and the directories that it accepts as trees. */
export const LIVE_IMAGES: readonly string[] = [...LIVE_IMAGE_TYPES.map((type) => `*.${type}`), "*.dir/"];

const NO_IMAGE: ImagePlan = {
  iso: null,
  paths: [],
  stacked: [],
  directory: null,
  inner: [],
  copyToRam: false,
  maker: null,
};

/** Names beside squashfs.img and inside it, as in dmsquash-live. */
const DRACUT_IMAGES = ["/rootfs.img", "/ext3fs.img"];

/** Returns the settings without those of an image if rd.image=no is the last that counts. What demands a check of it stays: nothing skips one. */
export function dropImage(settings: Settings): Settings {
  if (settings.image !== null) return settings;
  const none = { image: undefined, iso: undefined, isoDevice: undefined, isLive: undefined, copyToRam: undefined };
  return { ...settings, ...none, layers: [] };
}

/**
 * Returns the medium that the command line asks for: with levain's rd.image=, dracut's root=live:, live-boot's boot=live,
 * casper's boot=casper or archiso's archiso…=. `machine` is as in `uname -m`.
 */
export function decideMedium(settings: Settings, machine: string): Medium {
  const { root, image, copyToRam } = settings;
  const iso = settings.iso || null;
  const common = { ...NO_IMAGE, iso, copyToRam: copyToRam === true };
  const device = deviceOf(settings);
  const rootDevices = device === null ? [] : [device];
  const isLive = root?.isLive === true || settings.isLive === true;
  const archive = decideArchive(settings);
  if (archive !== null) return archive;
  if (root?.other?.kind === "download") return decideDownload(settings, root.other.url, common);
  if (image && !isLive) return { devices: rootDevices, image: { ...common, paths: [image] } };
  if (isLive && hasPlace(settings)) {
    const { paths, inner } = image ? { paths: [image], inner: [] } : dracutPaths(settings);
    return { devices: findIso(settings, iso) ?? rootDevices, image: { ...common, paths, inner, maker: "dracut" } };
  }
  const dialect = readDialect(settings);
  if (dialect.isLiveBoot) return decideLiveBoot(settings, common);
  if (dialect.isCasper) return decideCasper(settings, common);
  if (dialect.isArchiso) return decideArchiso(settings, common, machine);
  return { devices: rootDevices, image: null };
}

/** Returns the root in memory that root= names, or that rd.archive= alone stands for; null for another root. */
function memoryOf({ root, archive }: Settings): MemoryRoot | null {
  if (root === undefined) return archive === undefined ? null : { type: "tmpfs", size: null };
  if (root.other?.kind !== "memory") return null;
  const { type, size } = root.other;
  return { type, size };
}

/** Returns where the archive is that becomes the root; null for another root. */
function decideArchive(settings: Settings): Medium | null {
  const { archive } = settings;
  const memory = memoryOf(settings);
  if (memory === null || archive === undefined) return null;
  const common = { ...NO_IMAGE, memory };
  if (archive.kind === "device") return { devices: [archive.device], image: { ...common, paths: [archive.path] } };
  const { download } = planFetched(settings, [archive.url], common);
  return { devices: [], download, image: { ...common, paths: [download.path] } };
}

/** Returns what a root in memory lacks. */
export function findArchiveMistakes({ root, archive }: Settings): readonly string[] {
  const isMissing = root?.other?.kind === "memory" && archive === undefined;
  return isMissing ? [`root=${root.other.type}: needs rd.archive=, which fills it`] : [];
}

/** Returns the block device that root= names; null if it names none. */
function deviceOf({ root }: Settings): DeviceSpec | null {
  return root === undefined || root.device === "auto" ? null : root.device;
}

/** True if root= names what the medium may be. */
function hasPlace({ root }: Settings): boolean {
  return root !== undefined && root.device !== "auto" && (root.device ?? root.other) !== null;
}

/** Returns whose parameters the command line has. */
export function readDialect(settings: Settings): Dialect {
  const { root, rootFallbacks, boot, archDirectory, archDevice, archFile, archNfs } = settings;
  const namesArchiso = [archDirectory, archDevice, archFile, archNfs].some((value) => value !== undefined);
  return {
    isLiveBoot: root === undefined && boot === "live",
    isCasper: root === undefined && boot === "casper",
    isArchiso: root === undefined && boot !== "live" && boot !== "casper" && namesArchiso,
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

/** root=URL: the image itself, which may contain another one, or an ISO file with the paths of dracut. */
function decideDownload(settings: Settings, url: string, common: ImagePlan): Medium {
  const { image } = settings;
  const { paths, inner } = image == null ? dracutPaths(settings) : { paths: [image], inner: [image] };
  return { devices: [], ...planFetched(settings, [url], { ...common, paths, inner, maker: "dracut" }) };
}

function decideLiveBoot(settings: Settings, common: ImagePlan): Medium {
  const { liveMedia, liveModule, liveDirectory, fetchUrl } = settings;
  const path = liveDirectory ?? "/live";
  const paths = LIVE_IMAGES.map((name) => `${path}/${name}`);
  const image: ImagePlan = {
    ...common,
    directory: { path, list: liveModule ?? "filesystem" },
    maker: "live-boot",
  };
  if (fetchUrl !== undefined) return { devices: [], ...planFetched(settings, [textOf(fetchUrl)], image) };
  return {
    devices: findIso(settings, common.iso) ?? liveDevices(liveMedia, { by: "file", paths, among: "all" }),
    image,
  };
}

/** Returns the device that live-media= names, and the search, which it may restrict. */
function liveDevices(liveMedia: Settings["liveMedia"], search: FileSpec): readonly DeviceSpec[] {
  return typeof liveMedia === "object" ? [liveMedia, search] : [{ ...search, among: liveMedia ?? "all" }];
}

/** casper(7) of Ubuntu, and its initramfs script `scripts/casper`: layers by their names, or all images of the directory. */
function decideCasper(settings: Settings, common: ImagePlan): Medium {
  const { liveMedia, liveDirectory, casperLayer, casperUuid } = settings;
  const path = liveDirectory ?? "/casper";
  const stacked = casperLayer === undefined ? [] : listLayers(casperLayer, path);
  const search: FileSpec = {
    by: "file",
    paths: stacked.length > 0 ? stacked.slice(-1) : LIVE_IMAGES.map((name) => `${path}/${name}`),
    among: "all",
    ...(casperUuid ? { mark: { uuid: casperUuid, paths: ["/.disk/casper-uuid*"] } } : {}),
  };
  const images = stacked.length > 0 ? { stacked } : { directory: { path, list: null } };
  const image: ImagePlan = { ...common, ...images, maker: "casper" };
  if (settings.isoUrl !== undefined) return { devices: [], ...planFetched(settings, [textOf(settings.isoUrl)], image) };
  return { devices: findIso(settings, common.iso) ?? liveDevices(liveMedia, search), image };
}

/** Returns the images that the top layer `given` lies on and itself, the lowest first: each has the name of the one above it without the last part. */
function listLayers(given: string, directory: string): readonly string[] {
  const top = given.startsWith("/") ? given.replace(/^\/cdrom(?=\/)/, "") : `${directory}/${given}`;
  const slash = top.lastIndexOf("/") + 1;
  const parts = top.slice(slash).split(".");
  const type = parts.length > 1 ? `.${parts.pop()}` : "";
  return parts.map((_, index) => `${top.slice(0, slash)}${parts.slice(0, index + 1).join(".")}${type}`);
}

function decideArchiso(settings: Settings, common: ImagePlan, machine: string): Medium {
  const { archDirectory, archDevice, archFile, archServer } = settings;
  const paths = ["sfs", "erofs"].map((type) => `${archDirectory ?? "/arch"}/${machine}/airootfs.${type}`);
  if (archServer !== undefined) {
    const urls = paths.map((path) => `${textOf(archServer).replace(/\/+$/, "")}${path}`);
    return { devices: [], ...planFetched(settings, urls, { ...common, maker: "archiso" }) };
  }
  const named = archDevice === undefined ? [] : [archDevice];
  const search = archFile ?? (archDevice === undefined ? paths : null);
  const searched: readonly DeviceSpec[] =
    search === null ? [] : [{ by: "file", paths: typeof search === "string" ? [search] : search, among: "all" }];
  return {
    devices: findIso(settings, common.iso) ?? [...named, ...searched],
    image: { ...common, paths, maker: "archiso" },
  };
}
