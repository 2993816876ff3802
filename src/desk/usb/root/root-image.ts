import { statSync } from "node:fs";
import { formatBytes } from "../../../problems/size.ts";
import type { Voice } from "../../../problems/voice.ts";
import type { Tool } from "../../tool.ts";
import type { Identity } from "../identity.ts";
import type { Workspace } from "../workspace.ts";
import { globsOf, regexOf } from "./patterns.ts";
import type { RootSource } from "./source.ts";

/** How the root image is made. */
export interface RootImageRequest {
  readonly source: RootSource;
  readonly type: "squashfs" | "erofs";
  /** True: every file of the image belongs to root. False: each keeps its owner. */
  readonly isOwnedByRoot: boolean;
  readonly identity: Identity;
}

/** A level that is quick, as in the recipe by hand: the best one takes minutes. */
const SQUASHFS_COMPRESSION = ["-comp", "zstd", "-Xcompression-level", "3"];

/** Makes the filesystem image of a root; returns its path. Throws BootError. */
export async function makeRootImage(request: RootImageRequest, workspace: Workspace, voice: Voice): Promise<string> {
  const { source, type } = request;
  const image = workspace.path("root");
  const [tool, args]: [Tool, readonly string[]] =
    type === "squashfs"
      ? ["mksquashfs", squashfsArguments(request, image)]
      : ["mkfs.erofs", erofsArguments(request, image)];
  const what = `make the ${type} of ${source.directory === "/" ? "the running system" : "the root"}`;
  const watch = (printed: string) => voice.progress(describeProgress(type, printed, image));
  await workspace.run(tool, what, args, { watch, emptied: source.emptied });
  return image;
}

function squashfsArguments({ source, isOwnedByRoot }: RootImageRequest, image: string): readonly string[] {
  const owner = isOwnedByRoot ? ["-all-root"] : [];
  const options = ["-noappend", "-no-recovery", ...SQUASHFS_COMPRESSION, ...owner, "-wildcards"];
  return [source.directory, image, ...options, "-e", ...source.excluded.flatMap(globsOf)];
}

function erofsArguments({ source, isOwnedByRoot, identity }: RootImageRequest, image: string): readonly string[] {
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  const options = [
    ...["-zlz4hc", "-U", identity.uuid("root")],
    ...(epoch === undefined ? [] : [`-T${Number(epoch)}`]),
    ...(isOwnedByRoot ? ["--all-root"] : []),
    ...source.excluded.map((pattern) => `--exclude-regex=${regexOf(pattern)}`),
  ];
  return [...options, image, source.directory];
}

/** mksquashfs prints how far it is; of mkfs.erofs, the image is measured. */
function describeProgress(type: string, printed: string, image: string): string {
  const percent = /(\d{1,3})%[^%]*$/.exec(printed)?.[1];
  const bytes = statSync(image, { throwIfNoEntry: false })?.size ?? 0;
  return `compressing the root, ${percent === undefined ? "" : `${percent} %, `}${type} of ${formatBytes(bytes)}`;
}
