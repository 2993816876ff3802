/** A file that is open for writing: the same one wherever its mount is moved, and wherever its path leads by then. */
export interface FileWriter {
  /** Writes this in place of all that it holds. */
  replace(data: Uint8Array | string): void;
  close(): void;
}

/** Files that are written by descriptor. */
export interface Writers {
  /** Opens a file for writing, or creates it with mode 0644; it keeps what it holds. A symbolic link is ELOOP. */
  openWriter(path: string): FileWriter;
}
