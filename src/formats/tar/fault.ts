import type { ArchiveFault } from "../../problems/causes/archive.ts";

/** Ends the reading of an archive. */
export class ArchiveError extends Error {
  readonly fault: ArchiveFault;

  constructor(flaw: ArchiveFault["flaw"], path = "", detail = "") {
    super(flaw);
    this.name = "ArchiveError";
    this.fault = { flaw, path, detail };
  }
}
