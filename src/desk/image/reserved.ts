import { posix } from "node:path";
import { MISSING_NAME } from "../../drivers/driverless.ts";
import { INDEX_NAME } from "../../drivers/index/index-file.ts";
import { BootError } from "../../problems/errors.ts";
import { TRAILER } from "../archive/cpio.ts";

const ELSEWHERE = "choose another destination";

const RESERVED: readonly (readonly [pattern: RegExp, reason: string, hint: string])[] = [
  [
    /^\/init$/,
    "this path is reserved for levain, which the kernel starts",
    "choose another levain with --init FILE; other programs need another name",
  ],
  [/^\/bin\/levain$/, "this path is reserved for the link to /init, for the rescue shell", ELSEWHERE],
  [
    /^\/etc\/levain\.[^/]*$/,
    "this path is reserved for the image's own parameters",
    'set them with parameters = ["…"] in levain.toml',
  ],
  [
    new RegExp(`^/lib/modules/[^/]+/(?:${INDEX_NAME}|${MISSING_NAME.replaceAll(".", "\\.")})$`),
    "this path is reserved for the index of the modules in the image",
    "leave it out: levain writes it for the modules of --modules-dir and --module",
  ],
  [new RegExp(`^/${TRAILER}$`), "this name marks the end of a cpio archive, and later files would be lost", ELSEWHERE],
  [/\p{Cc}/u, "the name contains control characters", ELSEWHERE],
];

/** Throws BootError if an addition would get a path that only levain may write, however it is spelled, or a malformed name. */
export function refuseReserved(source: string, destination: string): void {
  const path = posix.normalize(destination);
  for (const [pattern, reason, hint] of RESERVED) {
    if (pattern.test(path)) throw new BootError(`cannot add ${source} as ${path}: ${reason}`, { hint });
  }
}
