import { formatBytes } from "../size.ts";

/** What is wrong with an archive, and where. */
export interface ArchiveFault {
  readonly flaw: keyof typeof FLAWS;
  /** The entry, with one character for each byte; empty for the archive as a whole. */
  readonly path: string;
  /** What was seen there: a target, a code, a number. */
  readonly detail: string;
}

/** What each flaw is called. */
const FLAWS = {
  absolute: () => "its name is absolute",
  parent: () => 'its name leads out of the tree by ".."',
  name: () => "its name is empty, too long, or has a NUL byte",
  target: (detail: string) => `it is a symbolic link that leads out of the tree: ${detail}`,
  duplicate: () => "the archive has two entries of this name",
  through: () => "it lies below an entry that is no directory",
  link: (detail: string) => `it is a hard link to ${detail}, which no entry before it is`,
  type: (detail: string) => `entries of type "${detail}" are not supported`,
  malformed: (detail: string) => `its header is malformed: ${detail}`,
  refused: (detail: string) => `it could not be created (${detail})`,
  cut: () => "the archive is truncated: it has no end mark",
  header: (detail: string) => `the archive is damaged, or no tar archive: no header at byte ${detail}`,
  compression: (detail: string) => `${detail} is not supported: use zstd, gzip or xz`,
  "no-program": (detail: string) => `the image has no program ${detail} to decompress it`,
  program: (detail: string) => `the program that decompresses it ended with status ${detail}`,
  stream: (detail: string) => `its compressed data are damaged (${detail})`,
  full: () => "the filesystem in memory has no more room",
  unreadable: (detail: string) => `it could not be read (${detail})`,
  room: (detail: string) => `it unpacks to more than ${formatBytes(Number(detail))}, for which there is room`,
  digest: (detail: string) => `its content is ${detail}`,
} as const;

/** Returns the clause that says why an archive is refused. */
export function describeArchiveFault({ flaw, path, detail }: ArchiveFault): string {
  const text = (bytes: string) => Buffer.from(bytes, "latin1").toString("utf8");
  const reason = FLAWS[flaw](text(detail));
  return path === "" ? reason : `${text(path)}: ${reason}`;
}
