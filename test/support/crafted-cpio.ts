/** One member of an archive as a test wants it, true or not. */
export interface RawMember {
  readonly name: string;
  /** Type and permission bits; default a file's, 0644. */
  readonly mode?: number;
  readonly data?: Uint8Array | string;
  readonly ino?: number;
  readonly nlink?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  /** Instead of the data's own. */
  readonly size?: number;
  readonly checksum?: number;
}

export const FILE = 0o100644;
export const DIRECTORY = 0o040755;
export const SYMLINK = 0o120777;
export const CHARACTER = 0o020600;

/** A newc (or, by its magic, a crc) archive with these members as they are: no name and no number is checked. */
export function rawCpio(members: readonly RawMember[], magic = "070701"): Buffer {
  const pieces = [...members, { name: "TRAILER!!!", mode: 0 }].map((member) => encode(member, magic));
  return Buffer.concat(pieces);
}

function encode(member: RawMember, magic: string): Buffer {
  const {
    name,
    mode = FILE,
    data = "",
    ino = 0,
    nlink = 1,
    uid = 0,
    gid = 0,
    mtime = 0,
    major = 0,
    minor = 0,
  } = member;
  const body = Buffer.from(data);
  const head = Buffer.from(`${name}\0`);
  const { size = body.length, checksum = 0 } = member;
  const fields = [ino, mode, uid, gid, nlink, mtime, size, 0, 0, major, minor, head.length, checksum];
  const header = Buffer.from(magic + fields.map((field) => field.toString(16).padStart(8, "0")).join(""));
  return Buffer.concat([pad(Buffer.concat([header, head])), pad(body)]);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
