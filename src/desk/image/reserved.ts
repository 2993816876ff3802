import { posix } from "node:path";
import { MISSING_NAME } from "../../drivers/driverless.ts";
import { INDEX_NAME } from "../../drivers/index/index-file.ts";
import { BootError } from "../../problems/errors.ts";
import { TRAILER } from "../archive/cpio-limits.ts";

/** A place in the image that nothing but levain may fill. */
interface Reservation {
  readonly pattern: RegExp;
  /** What is there, for "… is RESERVED_FOR". */
  readonly purpose: string;
  /** What to do instead. */
  readonly hint: string;
}

const RESERVATIONS: readonly Reservation[] = [
  {
    pattern: /^\/init$/,
    purpose: "levain itself, the program that the kernel starts",
    hint: "--init FILE chooses another levain; a program that runs beside it needs another name",
  },
  {
    pattern: /^\/bin\/levain$/,
    purpose: "the link to /init, for the rescue shell",
    hint: "give it another destination",
  },
  {
    pattern: /^\/etc\/levain\.[^/]*$/,
    purpose: "what levain writes of the image's own parameters",
    hint: 'parameters = ["…"] in levain.toml sets them',
  },
  {
    pattern: new RegExp(`^/lib/modules/[^/]+/(?:${INDEX_NAME}|${MISSING_NAME.replaceAll(".", "\\.")})$`),
    purpose: "the index that levain makes of the modules in the image",
    hint: "leave it out: --modules-dir and --module put modules in and write it",
  },
  {
    pattern: new RegExp(`^/${TRAILER}$`),
    purpose: "the end of a cpio archive: what follows would be lost",
    hint: "give it another destination",
  },
];

const CONTROL = /\p{Cc}/u;

/**
 * Throws BootError where something that is added would take a place that only levain may fill, however the path is spelled, or
 * has a name that no image should have.
 */
export function refuseReserved(source: string, destination: string): void {
  const path = posix.normalize(destination);
  const taken = RESERVATIONS.find(({ pattern }) => pattern.test(path));
  if (taken !== undefined) {
    throw new BootError(`cannot add ${source} as ${path}: this is the place of ${taken.purpose}`, { hint: taken.hint });
  }
  if (CONTROL.test(path)) {
    throw new BootError(`cannot add ${source} as ${path}: the name has control characters`, {
      hint: "give it another destination",
    });
  }
}
