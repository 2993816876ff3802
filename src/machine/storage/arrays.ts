/** An array of Linux RAID (md) to start from its members' superblocks. */
export interface ArrayRequest {
  /** The kernel's name for it: "md0". */
  readonly name: string;
  /** The version of its superblocks. */
  readonly metadata: "0.90" | "1.0" | "1.1" | "1.2";
  /** As "major:minor": the first is the one that the others must agree with. */
  readonly members: readonly string[];
}

/** Arrays of Linux RAID, by the requests of linux/raid/md_u.h. */
export interface Arrays {
  /**
   * Starts an array whose level's module is loaded. Nothing is written to it, not even by a resynchronisation, until something
   * writes to the array ("auto-read-only"). EBUSY if the name or a member is in use, EINVAL if a member does not belong to it.
   * After a refusal there is no array.
   */
  startArray(request: ArrayRequest): void;
  /** Stops an array, by the kernel's name. EBUSY if it is in use. */
  stopArray(name: string): void;
}
