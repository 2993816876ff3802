/** What a process of this program does for another one, which has started it with this argument. */
export const CHILD_COMMANDS = {
  derive: "derive-keys",
  /** Runs a program and waits for it, so that a program that hangs holds up no boot. */
  run: "run-program",
  download: "download",
  unpack: "unpack",
  nfs: "mount-nfs",
  nvme: "connect-nvme",
  iscsi: "start-iscsi",
  /** Writes the log of a boot that failed. */
  save: "write-log",
  /** Draws a QR code. */
  qr: "draw-qr",
} as const;
