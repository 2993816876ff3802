import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";
import { runtimeCrypto } from "../../crypto/secret.ts";
import { ArchiveError } from "../../formats/tar/fault.ts";
import type { Children } from "../../machine/child.ts";
import type { Files } from "../../machine/machine.ts";
import { isErrno } from "../../problems/errors.ts";
import type { UnpackOrder } from "./order.ts";

const PART_BYTES = 1 << 20;
const MAGIC_BYTES = 6;

/** By the magic numbers of lib/decompress.c. */
const COMPRESSIONS = [
  ["gzip", "1f8b"],
  ["zstd", "28b52ffd"],
  ["xz", "fd377a585a00"],
  ["bzip2", "425a68"],
  ["lz4", "04224d18"],
  ["lzip", "4c5a4950"],
] as const;

/** What reads an archive. */
export type SourceMachine = Pick<Files, "openReader" | "stat"> & Pick<Children, "filter">;

const XZ_PLACES = ["/usr/bin/xz", "/bin/xz"];
/** More than tar pads an archive to. */
const MOST_BYTES_BEHIND = 16 << 20;

/** The file of an archive. */
export interface ArchiveSource {
  /** Bytes of the file that were read. */
  readonly doneBytes: number;
  /** The content, decompressed. */
  readonly parts: AsyncIterator<Uint8Array>;
  /** Reads what is left, and throws ArchiveError if it is damaged or the digest is another one. */
  finish(): Promise<void>;
  close(): void;
}

/** Opens the file of an archive. Throws ArchiveError. */
export function openSource(machine: SourceMachine, { archive, digest }: UnpackOrder): ArchiveSource {
  const reader = reading(() => machine.openReader(archive, true));
  const hash = digest && runtimeCrypto().createHash(digest.algorithm);
  let doneBytes = 0;
  async function* read() {
    while (doneBytes < reader.size) {
      const part = reading(() => reader.read(doneBytes, PART_BYTES));
      if (part.length === 0) throw new ArchiveError("cut");
      hash?.update(part);
      doneBytes += part.length;
      yield part;
      // Reports are made between two parts.
      await Bun.sleep(0);
    }
  }
  const magic = Buffer.from(reading(() => reader.read(0, MAGIC_BYTES))).toString("hex");
  const file = read();
  const parts = decompress(machine, magic, file);
  return {
    get doneBytes() {
      return doneBytes;
    },
    parts,
    async finish() {
      let behind = 0;
      for await (const part of parts) {
        behind += part.length;
        if (behind > MOST_BYTES_BEHIND) throw new ArchiveError("malformed", "", "data behind the end mark");
      }
      // A decompressor may end before the file does: zeros behind the data belong to the digest.
      for await (const _ of file);
      const hex = hash?.digest("hex") ?? "";
      if (digest !== null && hex !== digest.hex) throw new ArchiveError("digest", "", `${digest.algorithm}:${hex}`);
    },
    close: () => reader.close(),
  };
}

function reading<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!isErrno(error)) throw error;
    throw new ArchiveError("unreadable", "", error.code);
  }
}

function decompress(machine: SourceMachine, magic: string, file: AsyncGenerator<Uint8Array>) {
  const [name = null] = COMPRESSIONS.find(([, digits]) => magic.startsWith(digits)) ?? [];
  switch (name) {
    case null:
      return file;
    case "gzip":
      return throughStream(createGunzip(), file);
    case "zstd":
      return throughStream(createZstdDecompress(), file);
    case "xz":
      return throughXz(machine, file);
    default:
      throw new ArchiveError("compression", "", name);
  }
}

async function* throughStream(stream: Gunzip | ZstdDecompress, file: AsyncIterable<Uint8Array>) {
  const feed = async () => {
    for await (const part of file) {
      if (!stream.write(part)) await new Promise((resolve) => stream.once("drain", resolve));
    }
    stream.end();
  };
  feed().catch((error) => stream.destroy(error));
  try {
    for await (const part of stream) yield part as Uint8Array;
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw code === "Z_BUF_ERROR" ? new ArchiveError("cut") : new ArchiveError("stream", "", code);
  }
}

async function* throughXz(machine: SourceMachine, file: AsyncIterable<Uint8Array>) {
  const path = XZ_PLACES.find((place) => machine.stat(place)?.kind === "file");
  if (path === undefined) throw new ArchiveError("no-program", "", "xz");
  const status = yield* machine.filter([path, "-dc"], file);
  if (status !== 0) throw new ArchiveError("program", "", String(status));
}
