import type { EntryStatus, NodeKind } from "../../machine/trees.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { ArchiveError } from "./fault.ts";
import { BLOCK_BYTES, isZero, parseHeader, type TarHeader } from "./header.ts";
import { entryPath, requireInside } from "./names.ts";
import { type PaxRecords, parsePax, paxAttributes, paxNumber, paxText, paxTime } from "./pax.ts";
import { readContent, type TarContent } from "./sparse.ts";

/** An entry of an archive. Paths are as in `Tree`. */
export interface TarEntry {
  readonly kind: "file" | "directory" | "symlink" | "link" | Exclude<NodeKind, "socket">;
  readonly path: string;
  /** Where a symbolic link leads, or the entry that a hard link is another name of. */
  readonly target: string;
  readonly access: Pick<EntryStatus, "userId" | "groupId" | "mode">;
  readonly modifiedNs: bigint;
  readonly attributes: ReadonlyMap<string, Uint8Array>;
  /** As in `EntryStatus`. */
  readonly represents: string | null;
  /** Null unless the kind is "file". */
  readonly content: TarContent | null;
  /** Yields the content, once and before the next entry is asked for; parts are valid until the next one. */
  readonly parts: () => AsyncGenerator<{ readonly offset: number; readonly bytes: Uint8Array }>;
}

const KINDS: Readonly<Record<string, TarEntry["kind"]>> = {
  "0": "file",
  "1": "link",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  // A contiguous file of POSIX.1-1988, and a file with holes of GNU tar.
  "7": "file",
  S: "file",
};

const MOST_RECORD_BYTES = 1 << 20;
/** -1 of uid_t and gid_t. */
const NO_ID = 2 ** 32 - 1;
const PART_BYTES = 1 << 20;

/** What headers in front of an entry say of it. */
interface Before {
  readonly records: PaxRecords;
  readonly name: string | null;
  readonly target: string | null;
}

const NOTHING_BEFORE: Before = { records: [], name: null, target: null };

/** Reads an archive of ustar, pax or GNU tar up to its end mark. Throws ArchiveError. */
export async function* readTar(bytes: ByteQueue): AsyncGenerator<TarEntry> {
  let everywhere: PaxRecords = [];
  let everywhereBytes = 0;
  let before = NOTHING_BEFORE;
  for (;;) {
    const offset = bytes.taken;
    const block = await bytes.take(BLOCK_BYTES);
    if (isZero(block)) return requireEnd(await bytes.take(BLOCK_BYTES), offset);
    const header = parseHeader(block, offset);
    if (header.type === "g") {
      const data = await readExtension(bytes, header, MOST_RECORD_BYTES - everywhereBytes);
      everywhereBytes += data.length;
      everywhere = [...everywhere, ...parsePax(data)];
    } else if (header.type === "V") await skipData(bytes, header.size);
    else if (/[xLK]/.test(header.type)) before = extend(before, header.type, await readExtension(bytes, header));
    else {
      const records = [...everywhere, ...before.records];
      const named = withNames(header, { ...before, records });
      const content = kindOf(named) === "file" ? await readContent(bytes, block, named, records) : null;
      yield makeEntry(bytes, named, records, content);
      before = NOTHING_BEFORE;
    }
  }
}

/** One block of zeros alone is no end mark. */
function requireEnd(second: Uint8Array, offset: number): void {
  if (!isZero(second)) throw new ArchiveError("header", "", String(offset));
}

async function readExtension(
  bytes: ByteQueue,
  { size }: TarHeader,
  mostBytes = MOST_RECORD_BYTES,
): Promise<Uint8Array> {
  if (!(size >= 0 && size <= mostBytes)) throw new ArchiveError("malformed", "", "an extended header");
  const data = await bytes.take(size);
  await bytes.skip(paddingOf(size));
  return data;
}

async function skipData(bytes: ByteQueue, size: number): Promise<void> {
  if (size < 0) throw new ArchiveError("malformed", "", "the size");
  await bytes.skip(size);
  await bytes.skip(paddingOf(size));
}

function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function extend(before: Before, type: string, data: Uint8Array): Before {
  if (type === "x") return { ...before, records: parsePax(data) };
  const text = Buffer.from(data).toString("latin1").replace(/\0.*$/s, "");
  return type === "L" ? { ...before, name: text } : { ...before, target: text };
}

/** Returns the header with the names that headers in front of it have. */
function withNames(header: TarHeader, { records, name, target }: Before): TarHeader {
  const given = paxText(records, "GNU.sparse.name") ?? paxText(records, "path") ?? name ?? header.name;
  return { ...header, name: given, target: paxText(records, "linkpath") ?? target ?? header.target };
}

/** Old programs mark a directory by a slash behind its name. */
function kindOf({ type, name }: TarHeader): TarEntry["kind"] {
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  if (kind === undefined) throw new ArchiveError("type", name, type);
  return kind === "file" && name.endsWith("/") ? "directory" : kind;
}

function makeEntry(bytes: ByteQueue, header: TarHeader, records: PaxRecords, content: TarContent | null): TarEntry {
  const kind = kindOf(header);
  const path = entryPath(header.name);
  if (path === "" && kind !== "directory") throw new ArchiveError("name", header.name);
  if (kind === "symlink") requireInside(path, header.target);
  const isDevice = kind === "block" || kind === "character";
  const { mode, modifiedSeconds, represents } = header;
  return {
    kind,
    path,
    target: kind === "link" ? entryPath(header.target) : header.target,
    access: {
      userId: requireId(path, paxNumber(records, "uid") ?? header.userId),
      groupId: requireId(path, paxNumber(records, "gid") ?? header.groupId),
      mode,
    },
    modifiedNs: paxTime(records, "mtime") ?? BigInt(modifiedSeconds) * 1_000_000_000n,
    attributes: paxAttributes(records),
    represents: isDevice ? represents : null,
    content,
    parts: () => readParts(bytes, content),
  };
}

/** chown(2) takes 32 bits: of more, it would see the last, so that 2³² were root. The largest means "leave it". */
function requireId(path: string, id: number): number {
  if (id >= 0 && id < NO_ID) return id;
  throw new ArchiveError("malformed", path, "the owner or the group");
}

async function* readParts(bytes: ByteQueue, content: TarContent | null) {
  if (content === null) return;
  for (const { offset, size } of content.extents) {
    for (let done = 0; done < size; ) {
      const part = await bytes.some(Math.min(PART_BYTES, size - done));
      yield { offset: offset + done, bytes: part };
      done += part.length;
    }
  }
  await bytes.skip(paddingOf(content.dataBytes));
}
