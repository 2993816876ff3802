import type { FileStatus } from "./machine.ts";

const NAMES: Readonly<Record<FileStatus["kind"], string>> = {
  file: "a regular file",
  directory: "a directory",
  symlink: "a symbolic link",
  block: "a block device",
  character: "a character device",
  fifo: "a named pipe",
  socket: "a socket",
};

/** Names what a path leads to as find(1) and ls(1) do, with its article. */
export const describeKind = (kind: FileStatus["kind"]): string => NAMES[kind];
