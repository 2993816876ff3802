import { fileNameOf } from "../parameters/http-url.ts";
import type { Settings } from "../parameters/parameters.ts";
import type { ImagePlan } from "./plan.ts";

/** A file that is downloaded to memory; a tmpfs with it is the medium. */
export interface DownloadPlan {
  /** In the order to try. */
  readonly urls: readonly string[];
  /** Its place on the medium. */
  readonly path: string;
  readonly proxy: string | null;
}

/** What is downloaded, and what it is to the stack. */
export interface Fetched {
  readonly download: DownloadPlan;
  readonly image: ImagePlan;
}

/** Plans the download of an image, or of an ISO file with images as `common` has them. */
export function planFetched(settings: Settings, urls: readonly string[], common: ImagePlan): Fetched {
  const path = `/${fileNameOf(urls[0] ?? "") ?? "image"}`;
  const download = { urls: [...urls, ...settings.mirrors], path, proxy: settings.proxy ?? null };
  const inMemory = { ...common, copyToRam: false };
  if (/\.iso$/i.test(path)) return { download, image: { ...inMemory, iso: path } };
  return { download, image: { ...inMemory, iso: null, paths: [path], stacked: [], directory: null } };
}
