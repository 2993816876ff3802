/** A watchdog that is open and counts: it resets the machine if it is not fed in time. */
export interface Watchdog {
  /** The time that it was set to; hardware may know no other than its own. */
  readonly seconds: number;
  /** True if it goes on counting when it is closed: its driver knows the magic close. */
  readonly staysArmed: boolean;
  feed(): void;
  /** Closes it. "armed": it begins to count again, for the next program that opens it; "stopped": it does nothing any more, unless its driver forbids that (nowayout). */
  close(how: "armed" | "stopped"): void;
}

/** Hardware that resets a machine that hangs (Documentation/watchdog/watchdog-api.rst). */
export interface Watchdogs {
  /** Opens a watchdog, "/dev/watchdog0", which starts it, and sets its time. EBUSY if another program has it. */
  openWatchdog(node: string, seconds: number): Watchdog;
}
