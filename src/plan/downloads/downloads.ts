import { type Deferred, readable } from "../../parameters/network/deferred.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { fileNameOf } from "../../parameters/sources/file-url.ts";
import { printable } from "../../problems/report.ts";
import type { ImagePlan } from "../plan.ts";
import type { ConfigPlan, DownloadPlan } from "./plan.ts";

/** What is downloaded, and what it is to the stack. */
export interface Fetched {
  readonly download: DownloadPlan;
  readonly image: ImagePlan;
}

/** Plans the download of an image, or of an ISO file with images as `common` has them. */
export function planFetched(settings: Settings, urls: readonly string[], common: ImagePlan): Fetched {
  const path = `/${fileNameOf(urls[0] ?? "") ?? "image"}`;
  const download = { urls: [...urls, ...readable(settings.mirrors)], path, proxy: readProxy(settings) };
  const inMemory = { ...common, copyToRam: false };
  if (/\.iso$/i.test(path)) return { download, image: { ...inMemory, iso: path } };
  return { download, image: { ...inMemory, iso: null, paths: [path], stacked: [], directory: null } };
}

/** Decides where the configuration comes from. */
export function decideConfig(settings: Settings): ConfigPlan | null {
  const { configUrl: url } = settings;
  return url === undefined ? null : { url, proxy: readProxy(settings) };
}

function readProxy({ proxy }: Settings): string | null {
  return proxy === undefined ? null : textOf(proxy);
}

/** Returns the value, or what was given instead: `findDownloadMistakes` refuses that. */
export function textOf(value: Deferred<string>): string {
  return "value" in value ? value.value : value.text;
}

/** Returns what is wrong with the parameters of a download: in a boot without one they have no meaning, and another program may obey them. */
export function findDownloadMistakes(settings: Settings, isDownload: boolean): readonly string[] {
  if (!isDownload) return [];
  const { fetchUrl, isoUrl, archServer, mirrors, proxy } = settings;
  const given: readonly (readonly [name: string, values: readonly (Deferred<string> | undefined)[]])[] = [
    ["fetch=", [fetchUrl]],
    ["iso-url=", [isoUrl]],
    ["archiso_http_srv=", [archServer]],
    ["rd.mirror=", mirrors],
    ["rd.proxy=", [proxy]],
  ];
  return given.flatMap(([name, values]) =>
    values.flatMap((value) => {
      if (value === undefined || "value" in value) return [];
      return printable(`${name}${value.text}: Expected ${value.expected} but received "${value.text}"`);
    }),
  );
}
