/** A file that is open for writing: it stays the same when its mount moves and its path leads elsewhere. */
export interface FileWriter {
  /** Replaces the content of the file. */
  replace(data: Uint8Array | string): void;
  close(): void;
}

/** Files that are written by descriptor. */
export interface Writers {
  /** Opens a file for writing without truncating it, or creates it with mode 0644. A symbolic link is ELOOP. */
  openWriter(path: string): FileWriter;
}
