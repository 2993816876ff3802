/** An array of Linux RAID (md) to start from its members' superblocks. */
export interface ArrayRequest {
  /** The kernel's name for it: "md0". */
  readonly name: string;
  /** The version of its superblocks. */
  readonly metadata: "0.90" | "1.0" | "1.1" | "1.2";
  /** As "major:minor": the first is the one that the others must agree with. */
  readonly members: readonly string[];
}

/** An array that another process starts: a member that does not answer holds up only that process. */
export interface PendingArray {
  /**
   * Returns true if it is started, false if it is not within `timeoutMs`. Throws SyscallError if the kernel refused: EBUSY if the
   * name or a member is in use, EINVAL if a member does not belong to it. There is no array then.
   */
  isStarted(timeoutMs: number): boolean;
  /** Says that nothing waits for the array any longer: if it is started after all, it is stopped again. Does nothing once it is started. */
  leave(): void;
}

/** Arrays of Linux RAID, by the requests of linux/raid/md_u.h. */
export interface Arrays {
  /**
   * Begins to start an array whose level's module is loaded. Nothing is written to it, not even by a resynchronisation, until
   * something writes to the array ("auto-read-only").
   */
  startArray(request: ArrayRequest): PendingArray;
  /** Stops an array, by the kernel's name. EBUSY if it is in use, ETIMEDOUT if a member does not answer: it is stopped when it does. */
  stopArray(name: string): void;
}
