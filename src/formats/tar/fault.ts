import type { ArchiveFault } from "../../problems/causes/archive.ts";

/** Of a name, which an archive may have in any length. */
const MOST_SHOWN = 500;

/** Ends the reading of an archive. */
export class ArchiveError extends Error {
  readonly fault: ArchiveFault;

  constructor(flaw: ArchiveFault["flaw"], path = "", detail = "") {
    super(flaw);
    this.name = "ArchiveError";
    this.fault = { flaw, path: path.slice(0, MOST_SHOWN), detail: detail.slice(0, MOST_SHOWN) };
  }
}
