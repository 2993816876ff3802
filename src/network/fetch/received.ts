import type { Hash } from "node:crypto";
import { runtimeCrypto } from "../../crypto/secret.ts";
import type { Files } from "../../machine/machine.ts";
import { isErrno } from "../../problems/errors.ts";
import { TransferError } from "./fault.ts";
import type { DownloadOrder } from "./order.ts";
import type { Body, Partial } from "./reply.ts";

/** The file as far as it was received. */
export interface Received {
  readonly bytes: number;
  readonly totalBytes: number | null;
  /** What can be continued from this URL; null if all of it must be asked for. */
  partial(url: string): Partial | null;
  /** Begins with the body of an answer from `url`; what does not belong in front of it is dropped. */
  begin(url: string, body: Body): void;
  append(part: Uint8Array): void;
  drop(): void;
  /** Throws TransferError if the file is not complete or not the right one. */
  finish(): void;
  close(): void;
}

/** Creates the file of a download. */
export function createReceived(machine: Pick<Files, "openWriter">, order: DownloadOrder): Received {
  const { path, limitBytes, digest } = order;
  const writer = writing(() => machine.openWriter(path));
  let hash: Hash | null = null;
  let bytes = 0;
  let totalBytes: number | null = null;
  let from: { readonly url: string; readonly validator: string } | null = null;
  const drop = () => {
    writing(() => writer.replace(""));
    hash = digest && runtimeCrypto().createHash(digest.algorithm);
    [bytes, totalBytes, from] = [0, null, null];
  };
  drop();
  return {
    get bytes() {
      return bytes;
    },
    get totalBytes() {
      return totalBytes;
    },
    partial(url) {
      if (bytes === 0 || from?.url !== url) return null;
      return { bytes, totalBytes, validator: from.validator };
    },
    begin(url, body) {
      if (body.offset !== bytes) drop();
      totalBytes = body.totalBytes;
      from = body.validator === null ? null : { url, validator: body.validator };
      if (totalBytes !== null && totalBytes > limitBytes) fail(limitBytes, totalBytes);
    },
    append(part) {
      if (bytes + part.length > (totalBytes ?? limitBytes)) fail(totalBytes ?? limitBytes, null);
      writing(() => writer.append(part));
      hash?.update(part);
      bytes += part.length;
    },
    drop,
    finish() {
      if (totalBytes !== null && bytes !== totalBytes) {
        throw new TransferError({ kind: "cut", doneBytes: bytes, totalBytes });
      }
      const hex = hash?.copy().digest("hex") ?? null;
      if (digest === null || hex === digest.hex || hex === null) return;
      drop();
      throw new TransferError({ kind: "digest", algorithm: digest.algorithm, hex });
    },
    close: () => writer.close(),
  };
}

function fail(limitBytes: number, totalBytes: number | null): never {
  throw new TransferError({ kind: "too-large", limitBytes, totalBytes });
}

function writing<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!isErrno(error)) throw error;
    throw new TransferError({ kind: "file", code: error.code });
  }
}
